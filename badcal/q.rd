<resource schema="badcal" resdir=".">
  <!-- BadCal, the stars that are no good calibrators. What a report must be is in ingest/badcal.py,
    how candidates are found in ingest/calibrators.py; this file says what the tables are. Tables
    whose name begins with stored_ hold who has reported and decided, and what is not public yet;
    the views of the same name without that word show the public part. -->
  <meta name="title">BadCal: bad calibrators</meta>
  <meta name="shortName">BadCal</meta>
  <meta name="creationDate">2026-11-26T12:00:00Z</meta>
  <meta name="description" format="rst">
    Stars that must not be used as calibrators of an optical interferometer, because they are
    binaries, are resolved, vary, have a companion or wrong coordinates: what observers and
    facilities have reported, with the observation that it was seen in, and what editors have
    decided on it.

    Candidates are stars that nobody has reported, but whose calibrated visibilities in OiDB
    contradict the diameter that JSDC or JMDC has for them.
  </meta>
  <meta name="subject">long-baseline-interferometry</meta>
  <meta name="subject">calibration</meta>
  <meta name="subject">binary-stars</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>
  <meta name="facility">VLTI</meta>
  <meta name="facility">CHARA</meta>
  <meta name="contentLevel">Research</meta>
  <meta name="type">Catalog</meta>
  <meta name="coverage.waveband">Optical</meta>
  <meta name="coverage.waveband">Infrared</meta>

  <!-- =============================== shared column texts =============================== -->

  <STREAM id="star-key">
    <column name="badcal_id" type="integer" required="True" ucd="meta.id;src"
      tablehead="BadCal" verbLevel="1"
      description="Number of the star in BadCal, given once and for all."/>
  </STREAM>

  <STREAM id="report-key">
    <column name="report_id" type="integer" required="True" ucd="meta.id" tablehead="Report"
      verbLevel="1" description="Number of the report, given once and for all."/>
  </STREAM>

  <STREAM id="report-state">
    <column name="state" type="text" required="True" ucd="meta.code.status" tablehead="State"
      verbLevel="1" note="state"
      description="submitted, accepted, rejected, withdrawn, or candidate for what a program has
        found and nobody has judged yet.">
      <property name="statistics">enumerate</property>
    </column>
  </STREAM>

  <!-- ==================================== tables ===================================== -->

  <table id="star" onDisk="True" adql="True" primary="badcal_id">
    <meta name="description">Stars that were reported as bad calibrators, whatever became of it:
      only those with state accepted are bad calibrators.</meta>
    <mixin>//scs#pgs-pos-index</mixin>
    <index columns="name"/>
    <index columns="state"/>
    <column original="//obscore#ObsCore.s_ra" type="double precision" required="True"
      ucd="pos.eq.ra;meta.main" verbLevel="1" displayHint="sf=6"
      description="Right ascension of the star (ICRS, epoch J2000): that of its first accepted
        report, else of its first one."/>
    <column original="//obscore#ObsCore.s_dec" type="double precision" required="True"
      ucd="pos.eq.dec;meta.main" verbLevel="1" displayHint="sf=6"
      description="Declination of the star (ICRS, epoch J2000), of the same report."/>
    <column name="name" type="unicode" ucd="meta.id" tablehead="Name" verbLevel="1"
      description="Name of the star in the first of its accepted reports that has one; while none
        is accepted, in the first of all; NULL when there is none."/>
    <column name="badcal_id" type="integer" required="True" ucd="meta.id;meta.main"
      tablehead="BadCal" verbLevel="1"
      description="Number of the star in BadCal, given once and for all."/>
    <column name="state" type="text" required="True" ucd="meta.code.status" tablehead="State"
      verbLevel="1" note="state" description="What its reports come to: accepted when one of them
        is, else submitted, candidate, withdrawn or rejected, in this order.">
      <property name="statistics">enumerate</property>
    </column>
    <column name="reason_classes" type="text" required="True" ucd="meta.code" verbLevel="1"
      description="Why it is bad, by its reports in that state, as words separated by blanks: binary
        variable resolved companion coordinates other."/>
    <column name="n_reports" type="integer" required="True" ucd="meta.number" verbLevel="1"
      description="Number of its reports, whatever became of them."/>
    <column name="n_accepted" type="integer" required="True" ucd="meta.number" verbLevel="5"
      description="Number of its accepted reports."/>
    <column name="created" type="timestamp" required="True" ucd="time.creation" verbLevel="15"
      description="When it was first reported (UTC)."/>
    <column name="updated" type="timestamp" required="True" ucd="time.processing" verbLevel="15"
      description="When one of its reports was last changed (UTC)."/>
    <meta name="note" tag="state" format="rst">
      *submitted*: reported, and not judged yet. *accepted*: an editor, or the facility that has
      reported it, stands for it. *rejected*: an editor has found that it is no bad calibrator, or
      that the report is not good enough. *withdrawn*: who has reported it, or an editor, has taken
      it back. *candidate*: a program has found it, nobody has judged it yet.
    </meta>
  </table>

  <table id="stored_report" onDisk="True" adql="False" primary="report_id">
    <meta name="description">Reports of bad calibrators with everything known of them. ADQL sees
      the view badcal.report.</meta>
    <foreignKey inTable="star" source="badcal_id"/>
    <index columns="badcal_id"/>
    <index columns="state"/>
    <index columns="submitter"/>
    <index columns="facility,record"/>
    <FEED source="report-key"/>
    <FEED source="star-key"/>
    <column name="name" type="unicode" ucd="meta.id;src" tablehead="Name" verbLevel="1"
      description="Name of the star, as reported."/>
    <column original="star.s_ra" description="Right ascension (ICRS, epoch J2000), as reported."/>
    <column original="star.s_dec" description="Declination (ICRS, epoch J2000), as reported."/>
    <FEED source="report-state"/>
    <column name="reason_class" type="text" required="True" ucd="meta.code" tablehead="Reason"
      verbLevel="1" description="Why the star is no good calibrator: binary, variable, resolved,
        companion, coordinates (its catalogue position is wrong), other.">
      <property name="statistics">enumerate</property>
    </column>
    <column name="obs_date" type="date" ucd="time.epoch;obs" tablehead="Observed" verbLevel="1"
      description="Date of the observation that showed it."/>
    <column name="interferometer" type="unicode" ucd="meta.id;instr.tel" verbLevel="1"
      description="Interferometer that observed it."/>
    <column name="instrument" type="unicode" ucd="meta.id;instr" verbLevel="1"
      description="Instrument that observed it."/>
    <column name="baseline" type="unicode" ucd="instr.baseline" verbLevel="5"
      description="Baseline of the observation: stations, or length, in the words of the report."/>
    <column name="wavelength" type="unicode" ucd="instr.bandpass" verbLevel="5"
      description="Wavelength or band of the observation, in the words of the report."/>
    <column name="em_min" type="double precision" unit="m" ucd="em.wl;stat.min" verbLevel="10"
      description="Shortest wavelength that these words tell; NULL where they cannot be read."/>
    <column name="em_max" type="double precision" unit="m" ucd="em.wl;stat.max" verbLevel="10"
      description="Longest wavelength that these words tell; NULL where they cannot be read."/>
    <column name="comment" type="unicode" ucd="meta.note" verbLevel="5"
      description="What was seen, in the words of who has reported it; NULL until it is
        accepted."/>
    <column name="evidence_url" type="text" ucd="meta.ref.url" verbLevel="5"
      description="Address of evidence: data, a plot, a publication; NULL until it is accepted."/>
    <column name="origin" type="text" required="True" ucd="meta.code" verbLevel="5"
      description="Who has reported it: person, facility or program.">
      <property name="statistics">enumerate</property>
    </column>
    <column name="facility" type="text" ucd="meta.curation" verbLevel="5"
      description="Facility that has registered it from its archive; NULL when it was none."/>
    <column name="user_name" type="unicode" ucd="meta.curation" verbLevel="10"
      description="Name of who has reported it; only of those who have agreed that it is shown, and
        only when it is accepted."/>
    <column name="user_affiliation" type="unicode" ucd="meta.curation" verbLevel="10"
      description="Affiliation of who has reported it, under the same conditions."/>
    <column name="submitted" type="timestamp" required="True" ucd="time.creation"
      tablehead="Reported" verbLevel="5" description="When it was reported (UTC)."/>
    <column name="updated" type="timestamp" required="True" ucd="time.processing" verbLevel="15"
      description="When its state was last changed (UTC)."/>
    <column name="submitter" type="text" ucd="meta.id" verbLevel="30"
      description="Account that has handed it in; NULL for a program and for the operator."/>
    <column name="record" type="text" ucd="meta.id" verbLevel="30"
      description="The facility's own identifier of it, else its digest."/>
    <column name="digest" type="text" required="True" ucd="meta.checksum" verbLevel="30"
      description="What the report says, as a checksum: the same one is not taken twice."/>
    <column name="version" type="integer" required="True" ucd="meta.version" verbLevel="30"
      description="Number of the last change, from 1."/>
    <column name="is_question_open" type="boolean" required="True" ucd="meta.code"
      verbLevel="30" description="Whether an editor waits for an answer."/>
  </table>

  <table id="stored_history" onDisk="True" adql="False">
    <meta name="description">Everything that has happened to a report. ADQL sees the view
      badcal.history.</meta>
    <foreignKey inTable="stored_report" source="report_id"/>
    <index columns="report_id"/>
    <FEED source="report-key"/>
    <column name="changed" type="timestamp" required="True" ucd="time.processing"
      verbLevel="1" description="When (UTC)."/>
    <column name="event" type="text" required="True" ucd="meta.code" verbLevel="1"
      description="What was done: submit, ask, answer, accept, reject, withdraw, reopen, replace;
        find for what a program does.">
      <property name="statistics">enumerate</property>
    </column>
    <column name="from_state" type="text" ucd="meta.code.status" verbLevel="1"
      description="State before; NULL for a new report."/>
    <column name="to_state" type="text" required="True" ucd="meta.code.status" verbLevel="1"
      description="State after."/>
    <column name="role" type="text" required="True" ucd="meta.code" verbLevel="1"
      description="Who: submitter, editor, facility, operator or program.">
      <property name="statistics">enumerate</property>
    </column>
    <column name="person" type="unicode" ucd="meta.curation" verbLevel="10"
      description="Name of who it was; only of those who have agreed that it is shown."/>
    <column name="why" type="unicode" ucd="meta.note" verbLevel="1"
      description="Why, in the words of who it was; what is written between editors and submitters is
        not shown."/>
    <column name="username" type="text" ucd="meta.id" verbLevel="30"
      description="Account of who it was; NULL for a program and for the operator."/>
    <column name="version" type="integer" required="True" ucd="meta.version" verbLevel="15"
      description="Number of the change of the report, from 1."/>
  </table>

  <table id="stored_candidate" onDisk="True" adql="False" primary="report_id">
    <meta name="description">What a program has found: calibrators whose squared visibilities
      contradict their diameter, with the numbers. ADQL sees the view badcal.candidate.</meta>
    <foreignKey inTable="star" source="badcal_id"/>
    <index columns="badcal_id"/>
    <FEED source="report-key"/>
    <FEED source="star-key"/>
    <column name="n_points" type="integer" required="True" ucd="meta.number" verbLevel="1"
      description="Number of squared visibilities that were compared; raw data that several files
        have count once, and of more than 600 as many are taken by chance."/>
    <column name="n_nights" type="integer" required="True" ucd="meta.number" verbLevel="5"
      description="Number of nights at an observatory that they are of; a granule whose night is
        not known counts as one."/>
    <column name="expected_diam" type="double precision" unit="mas" ucd="phys.angSize"
      verbLevel="1" description="Expected diameter of the uniform disk, in the band of most of the
        data; NULL when no catalogue here has one."/>
    <column name="expected_diam_err" type="double precision" unit="mas"
      ucd="stat.error;phys.angSize" verbLevel="5" description="Error of the expected diameter: that of
        the catalogue, or 1 % where that is less."/>
    <column name="diam_source" type="text" ucd="meta.ref" verbLevel="5"
      description="Where the expected diameter is from: jmdc or jsdc."/>
    <column name="chi2_expected" type="double precision" ucd="stat.fit.chi2" verbLevel="1"
      description="Sum of squares of the differences to the expected diameter in their errors, of
        data, of calibration and of the diameter."/>
    <column name="ud_diam" type="double precision" unit="mas" ucd="phys.angSize;stat.fit"
      verbLevel="1" description="Diameter of the uniform disk that fits the data best, in the
        band of the expected one, to which it has one ratio in all bands; one for all bands where
        none is expected."/>
    <column name="ud_diam_err" type="double precision" unit="mas" ucd="stat.error;phys.angSize"
      verbLevel="5" description="Error of the fitted diameter; NULL where the data set it no
        limit."/>
    <column name="chi2_ud" type="double precision" ucd="stat.fit.chi2" verbLevel="1"
      description="The same sum for the fitted diameter."/>
    <column name="flux_ratio" type="double precision" ucd="phot.flux;arith.ratio" verbLevel="5"
      description="Flux of the companion over that of the star in the binary that fits the data
        best; NULL where the reason is not binary."/>
    <column name="separation" type="double precision" unit="mas" ucd="pos.angDistance"
      verbLevel="5" description="Separation of that binary; others may fit as well."/>
    <column name="position_angle" type="double precision" unit="deg" ucd="pos.posAng"
      verbLevel="5" description="Position angle of that binary, north through east; squared
        visibilities do not tell it from the opposite one."/>
    <column name="chi2_binary" type="double precision" ucd="stat.fit.chi2" verbLevel="5"
      description="The same sum for that binary."/>
    <column name="computed" type="timestamp" required="True" ucd="time.processing" verbLevel="10"
      description="When it was computed (UTC)."/>
    <column name="plot_url" type="text" required="True" ucd="meta.ref.url"
      displayHint="type=url" verbLevel="5" description="Address of the plot."/>
  </table>

  <table id="stored_plot" onDisk="True" adql="False" primary="report_id">
    <meta name="description">Plots of candidates. They are shown with the numbers, in the view
      badcal.candidate.</meta>
    <foreignKey inTable="stored_candidate" source="report_id"/>
    <FEED source="report-key"/>
    <column name="png" type="bytea" required="True" description="The plot, as PNG."/>
  </table>

  <!-- ============================= what ADQL sees of it ============================== -->

  <STREAM id="is-agreed">
    <doc>Conditions for the views: whether the words of a report r are public, and whether its
    submitter, with the profile p, has agreed to be named. A name that was given to somebody else
    since is not that of the submitter.</doc>
    <macDef name="shown">(r.state='accepted' OR r.origin='program')</macDef>
    <macDef name="agreed">(p.shown AND p.created&lt;=r.submitted)</macDef>
  </STREAM>
  <FEED source="is-agreed"/>

  <table id="report" onDisk="True" adql="True" primary="report_id">
    <meta name="description">Reports of bad calibrators. The words of a report, and the name of who
      has reported it, are shown when it is accepted; the name only of those who have
      agreed.</meta>
    <foreignKey inTable="star" source="badcal_id" metaOnly="True"/>
    <index columns="badcal_id" metaOnly="True"/>
    <index columns="state" metaOnly="True"/>
    <column original="stored_report.s_ra"/>
    <column original="stored_report.s_dec"/>
    <column original="stored_report.report_id" ucd="meta.id;meta.main"/>
    <LOOP listItems="badcal_id name state reason_class obs_date interferometer instrument baseline wavelength em_min em_max comment evidence_url origin facility user_name user_affiliation submitted updated">
      <events><column original="stored_report.\item"/></events>
    </LOOP>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT s_ra, s_dec, report_id, badcal_id, name, state, reason_class, obs_date,
          interferometer, instrument, baseline, wavelength, em_min, em_max,
          CASE WHEN \shown THEN comment END,
          CASE WHEN \shown THEN evidence_url END,
          origin, facility,
          CASE WHEN state='accepted' AND \agreed THEN p.full_name END,
          CASE WHEN state='accepted' AND \agreed THEN p.affiliation END,
          submitted, updated
        FROM \schema.stored_report AS r
          LEFT JOIN users.profile AS p ON p.username=r.submitter)
    </viewStatement>
  </table>

  <table id="history" onDisk="True" adql="True">
    <meta name="description">Every change of state of a report: when, from what to what, who and
      why.</meta>
    <foreignKey inTable="report" source="report_id" metaOnly="True"/>
    <index columns="report_id" metaOnly="True"/>
    <LOOP listItems="report_id version changed event from_state to_state role person why">
      <events><column original="stored_history.\item"/></events>
    </LOOP>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT r.report_id, h.version, changed, event, from_state, to_state, role,
          CASE WHEN p.shown AND p.created&lt;=h.changed
            AND (h.role&lt;>'submitter' OR r.state='accepted') THEN p.full_name END,
          CASE WHEN h.role&lt;>'submitter' AND event NOT IN ('ask', 'answer') THEN why END
        FROM \schema.stored_history AS h
          JOIN \schema.stored_report AS r ON r.report_id=h.report_id
          LEFT JOIN users.profile AS p ON p.username=h.username)
    </viewStatement>
  </table>

  <table id="candidate" onDisk="True" adql="True" primary="report_id">
    <meta name="description">What a program has found: calibrators whose squared visibilities
      contradict their diameter, with the numbers. Only while all the data that a candidate was
      found in (badcal.evidence) are there and public.</meta>
    <foreignKey inTable="star" source="badcal_id" metaOnly="True"/>
    <foreignKey inTable="report" source="report_id" metaOnly="True"/>
    <index columns="badcal_id" metaOnly="True"/>
    <LOOP listItems="report_id badcal_id n_points n_nights expected_diam expected_diam_err diam_source chi2_expected ud_diam ud_diam_err chi2_ud flux_ratio separation position_angle chi2_binary computed plot_url">
      <events><column original="stored_candidate.\item"/></events>
    </LOOP>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT \colNames FROM \schema.stored_candidate AS c
        WHERE NOT EXISTS (
          SELECT 1 FROM \schema.evidence AS e
            LEFT JOIN oidb.granule AS g ON g.granule_id=e.granule_id
          WHERE e.report_id=c.report_id AND (g.granule_id IS NULL
            OR g.obs_release_date>(now() AT TIME ZONE 'UTC'))))
    </viewStatement>
  </table>

  <table id="evidence" onDisk="True" adql="True" primary="report_id,granule_id">
    <meta name="description">The granules of OiDB that a candidate was found in: those of the squared
      visibilities that were compared.</meta>
    <foreignKey inTable="stored_candidate" source="report_id"/>
    <foreignKey inTable="candidate" source="report_id" metaOnly="True"/>
    <index columns="granule_id"/>
    <FEED source="report-key"/>
    <column name="granule_id" type="bigint" required="True" ucd="meta.id" tablehead="Granule"
      verbLevel="1" description="Granule of OiDB (oidb.granule)."/>
  </table>

  <!-- =================================== ingestion ==================================== -->

  <!-- res/store.py fills these, with the columns named here. -->
  <data id="create" updating="True">
    <LOOP listItems="star stored_report stored_history stored_candidate evidence stored_plot">
      <events><make table="\item"/></events>
    </LOOP>
  </data>

  <data id="views">
    <make table="report"/>
    <make table="history"/>
    <make table="candidate"/>
  </data>

  <!-- The registry's record of the data set as a whole; `dachs limits` fills in the coverage. -->
  <coverage>
    <updater spaceTable="star"/>
  </coverage>
  <data id="tables" auto="False">
    <publish sets="ivo_managed"/>
    <LOOP listItems="star report history candidate evidence">
      <events><make table="\item"/></events>
    </LOOP>
  </data>

  <!-- ==================================== services ==================================== -->

  <service id="cone" allowed="scs.xml,form">
    <meta name="title">Bad calibrators by position</meta>
    <meta name="shortName">BadCal cone</meta>
    <meta name="description">Stars reported as bad calibrators around a position on the sky. Those
      with state accepted are bad; give STATE=accepted for only these.</meta>
    <meta>
      testQuery.ra: 98.7
      testQuery.dec: -30.1
      testQuery.sr: 0.01
    </meta>
    <publish render="scs.xml" sets="ivo_managed"/>
    <publish render="form" sets="ivo_managed,local"/>
    <scsCore queriedTable="star">
      <FEED source="//scs#coreDescs"/>
      <LOOP listItems="name state">
        <events><condDesc buildFrom="\item"/></events>
      </LOOP>
    </scsCore>
  </service>

  <service id="reports" allowed="scs.xml,form">
    <meta name="title">Reports of bad calibrators by position</meta>
    <meta name="shortName">BadCal reports</meta>
    <meta name="description">Reports of bad calibrators around a position on the sky.</meta>
    <meta>
      testQuery.ra: 98.7
      testQuery.dec: -30.1
      testQuery.sr: 0.01
    </meta>
    <publish render="scs.xml" sets="ivo_managed"/>
    <publish render="form" sets="ivo_managed,local"/>
    <scsCore queriedTable="report">
      <FEED source="//scs#coreDescs"/>
      <LOOP listItems="state reason_class instrument">
        <events><condDesc buildFrom="\item"/></events>
      </LOOP>
    </scsCore>
  </service>

  <!-- ================================ regression tests ================================ -->

  <regSuite title="BadCal">
    <LOOP>
      <csvItems>
        service, key
        cone,    badcal_id
        reports, report_id
      </csvItems>
      <events>
        <regTest title="\service is an SCS service">
          <url RA="98.7" DEC="-30.1" SR="0.1" VERB="1">\service/scs.xml</url>
          <code>
            self.assertHTTPStatus(200)
            self.assertXpath("//v:FIELD[@ucd='ID_MAIN']", {"name": "\key"})
            self.assertXpath("//v:INFO[@name='QUERY_STATUS']", {"value": "OK"})
          </code>
        </regTest>
      </events>
    </LOOP>
    <LOOP listItems="stored_report stored_history stored_candidate stored_plot">
      <events>
        <regTest title="ADQL does not see badcal.\item">
          <url parSet="TAP" QUERY="SELECT TOP 1 * FROM badcal.\item">/tap/sync</url>
          <code>self.assertHasStrings('value="ERROR"', "\item")</code>
        </regTest>
      </events>
    </LOOP>
    <regTest title="Reports that are not accepted name nobody">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n FROM badcal.report WHERE state!='accepted'
          AND (user_name IS NOT NULL OR user_affiliation IS NOT NULL)">/tap/sync</url>
      <code>self.assertEqual(self.getFirstVOTableRow()["n"], 0)</code>
    </regTest>
    <regTest title="A star is as accepted as its reports">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n FROM badcal.star AS s JOIN
          (SELECT badcal_id, COUNT(*) AS n_rows FROM badcal.report WHERE state='accepted'
            GROUP BY badcal_id) AS r ON r.badcal_id=s.badcal_id
          WHERE s.n_accepted!=r.n_rows">/tap/sync</url>
      <code>self.assertEqual(self.getFirstVOTableRow()["n"], 0)</code>
    </regTest>
  </regSuite>
</resource>
