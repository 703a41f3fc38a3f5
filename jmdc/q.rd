<resource schema="jmdc" resdir=".">
  <!-- JMDC, the measured diameters of stars. How files are read and rows are judged is in ingest/;
    this file says what the tables are. stored_measurement holds every version of every row that
    was ever published or accepted; history, measurement and released are views of it. -->
  <meta name="title">JMDC: measured diameters of stars</meta>
  <meta name="shortName">JMDC</meta>
  <meta name="creationDate">2026-11-26T12:00:00Z</meta>
  <meta name="description" format="rst">
    Angular diameters of stars that were measured directly: by optical interferometry, intensity
    interferometry or a lunar occultation. For each measurement: uniform-disk and limb-darkened
    diameter with error, band or wavelength, how one diameter was made of the other, notes,
    publication.

    Each release since 2016 can be asked for, and what has changed from one to the next. Stars have
    positions. Every row is judged by named rules; what they find is in quality_flags, and where it
    is certain what a row should say, the corrected values stand beside the published ones.
  </meta>
  <meta name="subject">stellar-radii</meta>
  <meta name="subject">long-baseline-interferometry</meta>
  <meta name="subject">limb-darkening</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>
  <meta name="source">2016yCat.2345....0D</meta>
  <meta name="facility">VLTI</meta>
  <meta name="facility">CHARA</meta>
  <meta name="contentLevel">Research</meta>
  <meta name="type">Catalog</meta>
  <meta name="coverage.waveband">Optical</meta>
  <meta name="coverage.waveband">Infrared</meta>

  <!-- =============================== shared column texts =============================== -->

  <STREAM id="star-key">
    <column name="star_id" type="integer" required="True" ucd="meta.id;src" tablehead="Star"
      verbLevel="5" description="Number of the star, given once and for all."/>
  </STREAM>

  <STREAM id="measurement-key">
    <column name="measurement_id" type="integer" required="True" ucd="meta.id"
      tablehead="Measurement" verbLevel="1"
      description="Number of the measurement, given once and for all; all its versions have it."/>
  </STREAM>

  <!-- ==================================== tables ===================================== -->

  <table id="star" onDisk="True" adql="True" primary="star_id">
    <meta name="description">Stars with a measured diameter.</meta>
    <mixin>//scs#pgs-pos-index</mixin>
    <index columns="star_name"/>
    <column name="star_name" type="text" required="True" ucd="meta.id" tablehead="Name"
      verbLevel="1" description="Name of the star: the identifier of its measurements (ID1), HD
        number where there is one."/>
    <column original="//obscore#ObsCore.s_ra" type="double precision" ucd="pos.eq.ra;meta.main"
      verbLevel="1" displayHint="sf=6"
      description="Right ascension of the star (ICRS, epoch J2000); NULL when its names are not
        resolved."/>
    <column original="//obscore#ObsCore.s_dec" type="double precision" ucd="pos.eq.dec;meta.main"
      verbLevel="1" displayHint="sf=6"
      description="Declination of the star (ICRS, epoch J2000); NULL when its names are not
        resolved."/>
    <column name="star_id" type="integer" required="True" ucd="meta.id;meta.main"
      tablehead="Star" verbLevel="1"
      description="Number of the star, given once and for all."/>
    <column name="pm_ra" type="double precision" unit="mas/yr" ucd="pos.pm;pos.eq.ra"
      verbLevel="10" description="Proper motion in right ascension times cos(declination), where
        the source of the position tells it."/>
    <column name="pm_dec" type="double precision" unit="mas/yr" ucd="pos.pm;pos.eq.dec"
      verbLevel="10" description="Proper motion in declination, where the source of the position
        tells it."/>
    <column name="position_source" type="text" ucd="meta.ref" verbLevel="10"
      description="Where the position is from: file (a file of JMDC with coordinates), fast (the
        list of fast stars), jsdc, obsportal, oidb (tables of this data centre), resolver (the
        name resolver of CDS); NULL when the star has none."/>
    <column name="identity_flags" type="text" required="True" ucd="meta.code.qual" verbLevel="5"
      note="identity" description="What is doubtful about which star is meant, as words separated by
        blanks; empty when nothing is known."/>
    <column name="n_measurements" type="integer" required="True" ucd="meta.number" verbLevel="1"
      description="Number of its current measurements."/>
    <column name="merged_into" type="integer" ucd="meta.id;src" verbLevel="15"
      description="Star that this one was found to be; NULL for a star of its own right.">
      <values nullLiteral="-1"/>
    </column>
    <meta name="note" tag="identity" format="rst">
      *unresolved*: no source at hand knows a name of the star, it has no position;
      *sinpe*: the names do not tell which component of a close double star is meant, by what JMDC
      says (SINPE); *component*: the name is that of a component;
      *system*: the name is that of several components together;
      *close*: another star of the table is within 5 arcsec.
    </meta>
  </table>

  <table id="star_alias" onDisk="True" adql="True">
    <meta name="description">All names under which a star goes in JMDC.</meta>
    <foreignKey inTable="star" source="star_id"/>
    <index columns="star_id"/>
    <index columns="alias"/>
    <index columns="alias_key"/>
    <FEED source="star-key"/>
    <column name="alias" type="unicode" required="True" ucd="meta.id;src" verbLevel="1"
      description="The name as JMDC has it."/>
    <column name="alias_key" type="unicode" required="True" ucd="meta.id;src" verbLevel="10"
      description="The name without what spellings differ in; equal for spellings of one name, as
        in obsportal.target_alias."/>
    <column name="is_identifier" type="smallint" required="True" ucd="meta.code" verbLevel="10"
      description="1 when it is the identifier that JMDC uses (ID1), 0 for the name of a
        publication (ID2)."/>
  </table>

  <table id="publication" onDisk="True" adql="True" primary="bibcode">
    <meta name="description">Publications that measurements were taken from.</meta>
    <column name="bibcode" type="text" required="True" ucd="meta.bib.bibcode;meta.main"
      tablehead="Bibcode" verbLevel="1" description="Bibcode of the publication."/>
    <column name="pub_year" type="smallint" ucd="time.publiYear" tablehead="Year" verbLevel="1"
      description="Year of the publication.">
      <values nullLiteral="-1"/>
    </column>
    <column name="journal" type="text" ucd="meta.bib.journal" verbLevel="1"
      description="Journal or series, by its abbreviation in the bibcode."/>
    <column name="n_measurements" type="integer" required="True" ucd="meta.number" verbLevel="1"
      description="Number of its current measurements."/>
    <column name="n_stars" type="integer" required="True" ucd="meta.number" verbLevel="1"
      description="Number of stars that they are of."/>
  </table>

  <table id="release" onDisk="True" adql="True" primary="release">
    <meta name="description">Releases of JMDC.</meta>
    <column name="release" type="text" required="True" ucd="meta.version;meta.main"
      tablehead="Release" verbLevel="1" description="Name of the release."/>
    <column name="release_date" type="date" required="True" ucd="time.release" verbLevel="1"
      description="Day of the release; no two are of one day."/>
    <column name="n_measurements" type="integer" required="True" ucd="meta.number" verbLevel="1"
      description="Number of measurements in the release."/>
    <column name="n_stars" type="integer" required="True" ucd="meta.number" verbLevel="1"
      description="Number of stars that they are of."/>
    <column name="file_name" type="unicode" ucd="meta.ref" verbLevel="5"
      description="Name of the file that the release was read from; NULL when it was made
        here."/>
    <column name="created" type="timestamp" required="True" ucd="time.creation" verbLevel="20"
      description="When it was read or made (UTC)."/>
    <column name="checksum" type="text" ucd="meta.checksum" verbLevel="20"
      description="SHA-256 checksum of that file."/>
  </table>

  <table id="stored_measurement" onDisk="True" adql="False" primary="measurement_id,version">
    <meta name="description">All versions of all measurements. ADQL sees the views jmdc.measurement,
      jmdc.history and jmdc.released.</meta>
    <foreignKey inTable="star" source="star_id"/>
    <index columns="star_id"/>
    <index columns="bibcode"/>
    <index columns="release_first"/>
    <index columns="release_last"/>
    <index columns="is_current"/>

    <FEED source="measurement-key"/>
    <column name="version" type="smallint" required="True" ucd="meta.version" verbLevel="10"
      description="Number of the version of the measurement, from 1; what JMDC publishes of a
        measurement has sometimes changed."/>

    <!-- as published: the columns of VizieR II/345 -->
    <column name="id1" type="text" required="True" ucd="meta.id;src" tablehead="ID1"
      verbLevel="1" description="Name of the star, HD number where there is one."/>
    <column name="id2" type="unicode" ucd="meta.id;src" tablehead="ID2" verbLevel="1"
      description="Name of the star in the publication."/>
    <column name="ud_diam" type="double precision" unit="mas" ucd="phys.angSize"
      tablehead="UD" verbLevel="1" description="Diameter of the uniform disk, as published in
        JMDC."/>
    <column name="ld_diam" type="double precision" unit="mas" ucd="phys.angSize"
      tablehead="LD" verbLevel="1" description="Diameter of the limb-darkened disk, as published in
        JMDC."/>
    <column name="e_ld_diam" type="double precision" unit="mas" ucd="stat.error;phys.angSize"
      tablehead="Error" verbLevel="1" description="Error of both diameters, as published in JMDC;
        NULL when the publication has none, or the measurement is in doubt."/>
    <column name="band" type="unicode" ucd="instr.bandpass" tablehead="Band" verbLevel="1"
      description="Band or wavelength of the measurement in the words of JMDC; numbers are
        micrometres unless they say something else."/>
    <column name="mu_lambda" type="double precision" ucd="arith.factor;phys.angSize"
      tablehead="µ" verbLevel="5" description="What the authors made the limb-darkened of the
        uniform-disk diameter with; mu_kind says what kind of number it is."/>
    <column name="method" type="smallint" ucd="meta.code;instr" tablehead="Method"
      verbLevel="1" description="1: optical interferometry, 2: lunar occultation, 3: intensity
        interferometry.">
      <values nullLiteral="-1"/>
    </column>
    <column name="bandcode" type="smallint" ucd="meta.code;instr.bandpass" verbLevel="5"
      description="Number of the band, from 1: U B V R I J H K L M N Q.">
      <values nullLiteral="-1"/>
    </column>
    <column name="notes" type="unicode" ucd="meta.note" verbLevel="5"
      description="Notes on the star and the measurement."/>
    <column name="bibcode" type="text" ucd="meta.bib.bibcode" tablehead="Bibcode" verbLevel="1"
      description="Bibcode of the publication; NULL, or made of dots, when it has none."/>
    <column name="sinpe" type="smallint" required="True" ucd="meta.code" verbLevel="10"
      description="1 when id1 is not precise enough to tell which star is meant, usually a component
        of a close double star; else 0."/>

    <!-- what they mean -->
    <FEED source="star-key"/>
    <column name="wavelength_min" type="double precision" unit="m" ucd="em.wl;stat.min"
      verbLevel="5" description="Shortest wavelength that band tells; of a band known by a letter,
        its edge."/>
    <column name="wavelength_max" type="double precision" unit="m" ucd="em.wl;stat.max"
      verbLevel="5" description="Longest wavelength that band tells; of a band known by a letter, its
        edge; equal to wavelength_min where a single wavelength is told."/>
    <column name="band_letters" type="text" ucd="instr.bandpass" verbLevel="5"
      description="Photometric bands (U B V R I J H K L M N Q) that band tells, separated by blanks;
        of a wavelength the band that it is in."/>
    <column name="mu_kind" type="text" ucd="meta.code" verbLevel="5"
      description="What mu_lambda is: ratio (limb-darkened over uniform-disk diameter), inverse
        (uniform-disk over limb-darkened), coefficient (of limb darkening); NULL when that cannot be
        told.">
      <property name="statistics">enumerate</property>
    </column>

    <!-- judgement -->
    <column name="corrected_ud_diam" type="double precision" unit="mas" ucd="phys.angSize"
      verbLevel="5" description="Diameter of the uniform disk to be used: the published one, unless
        correction says why not."/>
    <column name="corrected_ld_diam" type="double precision" unit="mas" ucd="phys.angSize"
      verbLevel="5" description="Diameter of the limb-darkened disk to be used: the published one,
        unless correction says why not."/>
    <column name="corrected_e_ld_diam" type="double precision" unit="mas"
      ucd="stat.error;phys.angSize" verbLevel="5" description="Error of the diameters to be used:
        the published one, unless correction says why not."/>
    <column name="correction" type="unicode" ucd="meta.note" verbLevel="5"
      description="Why corrected values differ from published ones; NULL where they do not."/>
    <column name="quality_flags" type="text" required="True" ucd="meta.code.qual" verbLevel="5"
      note="flags" description="Rules that the row breaks, as words separated by blanks; empty when
        there are none."/>
    <column name="validation_log" type="unicode" required="True" ucd="meta.note" verbLevel="15"
      description="What quality_flags means for this row, as a JSON list of sentences."/>

    <!-- where it is from, and how long it stands -->
    <column name="release_first" type="text" ucd="meta.version" verbLevel="5"
      description="First release with this version; NULL when there is none yet."/>
    <column name="release_last" type="text" ucd="meta.version" verbLevel="5"
      description="Last release with this version so far; NULL when there is none yet. The releases
        between first and last all have it."/>
    <column name="is_current" type="smallint" required="True" ucd="meta.code" verbLevel="10"
      description="1 for the version that stands today, 0 for what was replaced or taken out."/>
    <column name="username" type="text" ucd="meta.id"
      description="Who has handed in this version, by the name to log in with; NULL for what came
        with a file."/>
    <column name="submitted" type="timestamp" ucd="time.creation"
      description="When it was handed in (UTC); NULL for what came with a file."/>
    <column name="submission_id" type="integer" ucd="meta.id" verbLevel="20"
      description="Number of the submission that this version was accepted from; NULL for what came
        with a file.">
      <values nullLiteral="-1"/>
    </column>
    <column name="created" type="timestamp" required="True" ucd="time.creation" verbLevel="20"
      description="When this version was stored (UTC)."/>
  </table>

  <!-- ===================================== views ===================================== -->

  <!-- Columns of stored_measurement with name and position of the star, and the name of who has
    handed it in. -->
  <STREAM id="measurement-columns">
    <column original="star.star_name"/>
    <column original="star.s_ra"/>
    <column original="star.s_dec"/>
    <LOOP listItems="version id1 id2 ud_diam ld_diam e_ld_diam band mu_lambda method bandcode notes bibcode sinpe star_id wavelength_min wavelength_max band_letters mu_kind corrected_ud_diam corrected_ld_diam corrected_e_ld_diam correction quality_flags validation_log release_first release_last is_current submission_id created">
      <events><column original="stored_measurement.\item"/></events>
    </LOOP>
    <column name="submitter" type="unicode" ucd="meta.curation" verbLevel="15"
      description="Who has handed in this version; NULL for those who have not agreed to be named,
        and for what came with a file."/>
    <LOOP>
      <codeItems>
        from ingest import jmdc_rules
        flags = [rule for rule in jmdc_rules.RULES.values() if rule.severity != "note"]
        yield {"words": "\n\n".join("*%s*: %s" % (r.name, r.explanation) for r in flags)}
      </codeItems>
      <events><meta name="note" tag="flags" format="rst">\words</meta></events>
    </LOOP>
  </STREAM>

  <table id="history" onDisk="True" adql="True">
    <meta name="description">All versions of all measurements that were ever in JMDC, with the
      positions of their stars. A row is in the releases from release_first to release_last.</meta>
    <!-- A name that was given to somebody else since is not that of the submitter. -->
    <FEED source="measurement-key"/>
    <FEED source="measurement-columns"/>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT \colNames FROM (
            SELECT m.*,
              CASE WHEN p.shown AND p.created&lt;=m.submitted THEN p.full_name END AS submitter
            FROM \schema.stored_measurement AS m
              LEFT JOIN users.profile AS p ON p.username=m.username) AS v
          JOIN \schema.star USING (star_id))
    </viewStatement>
  </table>

  <table id="measurement" onDisk="True" adql="True">
    <meta name="description">Measured diameters of stars: JMDC as it stands today, with what has been
      accepted since the last release.</meta>
    <column original="stored_measurement.measurement_id" ucd="meta.id;meta.main"/>
    <FEED source="measurement-columns"/>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (SELECT \colNames FROM \schema.history WHERE is_current=1)
    </viewStatement>
  </table>

  <table id="released" onDisk="True" adql="True">
    <meta name="description">Measurements by release: all rows of each release, as they were in
      it. Always ask for one release, such as release='2021-09-10'.</meta>
    <column original="release.release" ucd="meta.version" description="Name of the release that the
      row is in."/>
    <FEED source="measurement-key"/>
    <FEED source="measurement-columns"/>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT \colNames FROM \schema.history AS h
          JOIN (SELECT release AS label, release_date AS first_date FROM \schema.release) AS f
            ON f.label=h.release_first
          JOIN (SELECT release AS label, release_date AS last_date FROM \schema.release) AS l
            ON l.label=h.release_last
          JOIN (SELECT release, release_date FROM \schema.release) AS r
            ON r.release_date BETWEEN f.first_date AND l.last_date)
    </viewStatement>
  </table>

  <table id="change" onDisk="True" adql="True">
    <meta name="description">What has changed from one release to the next: one row for each
      measurement that is new, is published with other values, or is no more there.</meta>
    <column original="release.release" ucd="meta.version" description="Release that brought the
      change."/>
    <column name="previous_release" type="text" ucd="meta.version" verbLevel="1"
      description="The release before it; NULL for the first one."/>
    <column name="kind" type="text" required="True" ucd="meta.code" verbLevel="1"
      description="added, changed or removed.">
      <property name="statistics">enumerate</property>
    </column>
    <FEED source="measurement-key"/>
    <column original="stored_measurement.id1"/>
    <column original="stored_measurement.bibcode"/>
    <column name="old_version" type="smallint" ucd="meta.version" verbLevel="5"
      description="Version of the measurement in the release before; NULL for one that is new.">
      <values nullLiteral="-1"/>
    </column>
    <column name="new_version" type="smallint" ucd="meta.version" verbLevel="5"
      description="Version of the measurement in the release; NULL for one that is no more there.">
      <values nullLiteral="-1"/>
    </column>
    <column name="changed_columns" type="text" required="True" ucd="meta.id" verbLevel="5"
      description="Names of the published columns that have another value, separated by blanks;
        empty for what is new or removed."/>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        WITH step AS (
          SELECT release, LAG(release) OVER (ORDER BY release_date) AS previous
          FROM \schema.release)
        SELECT s.release, s.previous, CASE WHEN o.version IS NULL THEN 'added' ELSE 'changed' END,
          n.measurement_id, n.id1, n.bibcode, o.version, n.version,
          CASE WHEN o.version IS NULL THEN '' ELSE CONCAT_WS(' ',
            CASE WHEN n.id1 IS DISTINCT FROM o.id1 THEN 'id1' END,
            CASE WHEN n.id2 IS DISTINCT FROM o.id2 THEN 'id2' END,
            CASE WHEN n.ud_diam IS DISTINCT FROM o.ud_diam THEN 'ud_diam' END,
            CASE WHEN n.ld_diam IS DISTINCT FROM o.ld_diam THEN 'ld_diam' END,
            CASE WHEN n.e_ld_diam IS DISTINCT FROM o.e_ld_diam THEN 'e_ld_diam' END,
            CASE WHEN n.band IS DISTINCT FROM o.band THEN 'band' END,
            CASE WHEN n.mu_lambda IS DISTINCT FROM o.mu_lambda THEN 'mu_lambda' END,
            CASE WHEN n.method IS DISTINCT FROM o.method THEN 'method' END,
            CASE WHEN n.bandcode IS DISTINCT FROM o.bandcode THEN 'bandcode' END,
            CASE WHEN n.notes IS DISTINCT FROM o.notes THEN 'notes' END,
            CASE WHEN n.bibcode IS DISTINCT FROM o.bibcode THEN 'bibcode' END,
            CASE WHEN n.sinpe IS DISTINCT FROM o.sinpe THEN 'sinpe' END) END
        FROM step AS s
          JOIN \schema.stored_measurement AS n ON n.release_first=s.release
          LEFT JOIN \schema.stored_measurement AS o
            ON o.measurement_id=n.measurement_id AND o.release_last=s.previous
        UNION ALL
        SELECT s.release, s.previous, 'removed', o.measurement_id, o.id1, o.bibcode, o.version,
          NULL::smallint, ''
        FROM step AS s
          JOIN \schema.stored_measurement AS o ON o.release_last=s.previous
        WHERE NOT EXISTS (
          SELECT 1 FROM \schema.stored_measurement AS n
          WHERE n.measurement_id=o.measurement_id AND n.release_first=s.release))
    </viewStatement>
  </table>

  <!-- =================================== ingestion ==================================== -->

  <!-- res/store.py fills these, with the columns named here. -->
  <data id="create" updating="True">
    <LOOP listItems="star star_alias publication release stored_measurement">
      <events><make table="\item"/></events>
    </LOOP>
  </data>

  <data id="views">
    <LOOP listItems="history measurement released change">
      <events><make table="\item"/></events>
    </LOOP>
  </data>

  <!-- The registry's record of the data set as a whole; `dachs limits` fills in the coverage. -->
  <coverage>
    <updater spaceTable="star"/>
  </coverage>
  <data id="tables" auto="False">
    <publish sets="ivo_managed"/>
    <LOOP listItems="measurement history released change star star_alias publication release">
      <events><make table="\item"/></events>
    </LOOP>
  </data>

  <!-- ==================================== services ==================================== -->

  <service id="cone" allowed="scs.xml,form">
    <meta name="title">Measured diameters of stars by position</meta>
    <meta name="shortName">JMDC cone</meta>
    <meta name="description">Measured diameters of stars around a position on the sky: one row for
      each measurement.</meta>
    <meta>
      testQuery.ra: 110.5
      testQuery.dec: -25.2
      testQuery.sr: 0.01
    </meta>
    <publish render="scs.xml" sets="ivo_managed"/>
    <publish render="form" sets="ivo_managed,local"/>
    <scsCore queriedTable="measurement">
      <FEED source="//scs#coreDescs"/>
      <LOOP listItems="id1 bibcode method">
        <events><condDesc buildFrom="\item"/></events>
      </LOOP>
    </scsCore>
    <!-- What the form shows; VOTables have all columns, by their verbosity. -->
    <outputTable>
      <outputField original="//scs#distCol"/>
      <LOOP listItems="star_name id2 ud_diam ld_diam e_ld_diam band method bibcode quality_flags">
        <events><outputField original="\item"/></events>
      </LOOP>
    </outputTable>
  </service>

  <service id="stars" allowed="scs.xml,form">
    <meta name="title">Stars with measured diameters by position</meta>
    <meta name="shortName">JMDC stars</meta>
    <meta name="description">Stars with a measured diameter around a position on the sky.</meta>
    <meta>
      testQuery.ra: 110.5
      testQuery.dec: -25.2
      testQuery.sr: 0.01
    </meta>
    <publish render="scs.xml" sets="ivo_managed"/>
    <publish render="form" sets="ivo_managed,local"/>
    <scsCore queriedTable="star">
      <FEED source="//scs#coreDescs"/>
    </scsCore>
  </service>

  <!-- ================================ regression tests ================================ -->

  <regSuite title="JMDC">
    <LOOP>
      <csvItems>
        service, key
        cone,    measurement_id
        stars,   star_id
      </csvItems>
      <events>
        <regTest title="\service is an SCS service">
          <url RA="110.5" DEC="-25.2" SR="0.1" VERB="1">\service/scs.xml</url>
          <code>
            self.assertHTTPStatus(200)
            self.assertXpath("//v:FIELD[@ucd='ID_MAIN']", {"name": "\key"})
            self.assertXpath("//v:INFO[@name='QUERY_STATUS']", {"value": "OK"})
          </code>
        </regTest>
      </events>
    </LOOP>
    <regTest title="A release has the measurements that it says it has">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n FROM jmdc.release AS r
          JOIN (SELECT release, COUNT(*) AS n_rows FROM jmdc.released GROUP BY release) AS m
            ON m.release=r.release
          WHERE r.n_measurements!=m.n_rows"
        >/tap/sync</url>
      <code>self.assertEqual(self.getFirstVOTableRow()["n"], 0)</code>
    </regTest>
    <regTest title="ADQL does not see jmdc.stored_measurement">
      <url parSet="TAP" QUERY="SELECT TOP 1 * FROM jmdc.stored_measurement">/tap/sync</url>
      <code>self.assertHasStrings('value="ERROR"', "stored_measurement")</code>
    </regTest>
  </regSuite>
</resource>
