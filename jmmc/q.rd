<resource schema="jmmc" resdir=".">
  <!-- The stars of all data sets of this data centre. res/stars.py keeps the tables in step with the
    data sets; how an entry finds its star is in ingest/crossmatch.py. -->
  <meta name="title">Stars of the JMMC data centre</meta>
  <meta name="shortName">JMMC stars</meta>
  <meta name="creationDate">2026-11-26T12:00:00Z</meta>
  <meta name="description" format="rst">
    What the data sets of the JMMC have on each star: one row for each object on the sky that any
    of them has, with its number in the catalogue of computed diameters (JSDC) and in that of
    measured ones (JMDC), whether it is reported as a bad calibrator (BadCal), how often VLTI and
    CHARA have observed it (ObsPortal), and how many granules of reduced data there are (OiDB).

    Entries are matched by position, within 5 arcsec and with proper motion where it is known, and
    by names, which decide between neighbours.
  </meta>
  <meta name="subject">interferometry</meta>
  <meta name="subject">optical-interferometry</meta>
  <meta name="subject">catalogs</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>
  <meta name="facility">VLTI</meta>
  <meta name="facility">CHARA</meta>
  <meta name="contentLevel">Research</meta>
  <meta name="type">Catalog</meta>
  <meta name="coverage.waveband">Optical</meta>
  <meta name="coverage.waveband">Infrared</meta>

  <STREAM id="star-key">
    <column name="star_id" type="integer" required="True" ucd="meta.id;meta.main"
      tablehead="Number" verbLevel="1" description="Number of the star, given once and for all."/>
  </STREAM>

  <table id="star" onDisk="True" adql="True" primary="star_id">
    <meta name="description">Stars that any data set of the JMMC has, with what there is on
      them.</meta>
    <mixin>//scs#pgs-pos-index</mixin>
    <index columns="name_key"/>
    <index columns="jsdc_id"/>

    <column name="star_name" type="text" required="True" ucd="meta.id" tablehead="Star"
      verbLevel="1" description="Name of the star: that of JSDC where it has one."/>
    <column original="//obscore#ObsCore.s_ra" type="double precision" required="True"
      ucd="pos.eq.ra;meta.main" verbLevel="1" displayHint="sf=6"
      description="Right ascension of the star (ICRS, epoch J2000)."/>
    <column original="//obscore#ObsCore.s_dec" type="double precision" required="True"
      ucd="pos.eq.dec;meta.main" verbLevel="1" displayHint="sf=6"
      description="Declination of the star (ICRS, epoch J2000)."/>
    <FEED source="star-key"/>
    <column name="pm_ra" type="real" unit="mas/yr" ucd="pos.pm;pos.eq.ra" verbLevel="10"
      description="Proper motion in right ascension times cos(declination), where a data set tells
        it."/>
    <column name="pm_dec" type="real" unit="mas/yr" ucd="pos.pm;pos.eq.dec" verbLevel="10"
      description="Proper motion in declination, where a data set tells it."/>
    <LOOP>
      <csvItems>
        name,      head,   words
        jsdc_id,   JSDC,   Its row of jsdc.star (star_id)
        jmdc_id,   JMDC,   Its row of jmdc.star (star_id)
        badcal_id, BadCal, Its row of badcal.star if it was accepted as a bad calibrator
        target_id, Target, Its row of obsportal.target: the one with most exposures
      </csvItems>
      <events>
        <column name="\name" type="integer" ucd="meta.id.cross" tablehead="\head" verbLevel="5"
          description="\words; NULL when there is none.">
          <values nullLiteral="-1"/>
        </column>
      </events>
    </LOOP>
    <LOOP>
      <csvItems>
        name,              head,         ucd,                     words
        n_measurements,    Measured,     meta.number,             diameters of the star that are measured (JMDC)
        n_vlti_exposures,  VLTI,         meta.number;obs.exposure,exposures of the star by VLTI
        n_chara_exposures, CHARA,        meta.number;obs.exposure,exposures of the star by CHARA
        n_granules,        Granules,     meta.number,             granules of OiDB
      </csvItems>
      <events>
        <column name="\name" type="integer" required="True" ucd="\ucd" tablehead="\head"
          verbLevel="5" description="Number of \words."/>
      </events>
    </LOOP>
    <column name="name_key" type="text" required="True" ucd="meta.id" verbLevel="30"
      description="The name without what spellings differ in; equal for spellings of one name."/>
  </table>

  <table id="star_alias" onDisk="True" adql="True">
    <meta name="description">All names of stars in the data sets.</meta>
    <foreignKey inTable="star" source="star_id" metaOnly="True"/>
    <index columns="star_id"/>
    <index columns="alias_key"/>
    <FEED source="star-key"/>
    <column name="alias" type="unicode" required="True" ucd="meta.id" verbLevel="1"
      description="The name as a data set has it."/>
    <column name="alias_key" type="unicode" required="True" ucd="meta.id" verbLevel="10"
      description="The name without what spellings differ in; equal for spellings of one name."/>
  </table>

  <table id="link" onDisk="True" adql="True" primary="data_set,entry_id">
    <meta name="description">Which star each entry of a data set is of. Those of JSDC are in
      jmmc.star itself.</meta>
    <foreignKey inTable="star" source="star_id" metaOnly="True"/>
    <index columns="star_id"/>
    <column name="data_set" type="text" required="True" ucd="meta.code.class" verbLevel="1"
      description="The data set: obsportal (targets), jmdc (stars), badcal (stars) or oidb
        (granules)."/>
    <column name="entry_id" type="bigint" required="True" ucd="meta.id" verbLevel="1"
      description="Number of the entry there: target_id, star_id, badcal_id, granule_id."/>
    <FEED source="star-key"/>
    <column name="separation" type="real" unit="arcsec" ucd="pos.angDistance" required="True"
      verbLevel="5" description="Distance of the entry from the star, or from where it was at the
        time."/>
    <column name="matched_by" type="text" required="True" ucd="meta.code" verbLevel="5"
      description="What has decided: name; position; new for what no star was known for before."/>
    <column name="fingerprint" type="integer" required="True" ucd="meta.checksum" verbLevel="30"
      description="Changes when the entry does."/>
  </table>

  <!-- res/stars.py fills these, with the columns named here. -->
  <data id="create" updating="True">
    <LOOP listItems="star star_alias link">
      <events><make table="\item"/></events>
    </LOOP>
  </data>

  <!-- The registry's record of it as a whole; `dachs limits` fills in the coverage. -->
  <coverage>
    <updater spaceTable="star"/>
  </coverage>
  <data id="tables" auto="False">
    <publish sets="ivo_managed"/>
    <LOOP listItems="star star_alias link">
      <events><make table="\item"/></events>
    </LOOP>
  </data>

  <service id="cone" allowed="scs.xml,form">
    <meta name="title">Stars of all data sets by position</meta>
    <meta name="shortName">JMMC stars cone</meta>
    <meta name="description">Stars around a position on the sky that the data sets of the JMMC have
      observations, measured or computed diameters or reports of, with how much there is.</meta>
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

  <regSuite title="Stars of all data sets">
    <regTest title="A cone search is an SCS answer">
      <url RA="110.5" DEC="-25.2" SR="0.1" VERB="1">cone/scs.xml</url>
      <code>
        self.assertHTTPStatus(200)
        self.assertXpath("//v:FIELD[@ucd='ID_MAIN']", {"name": "star_id"})
        self.assertXpath("//v:INFO[@name='QUERY_STATUS']", {"value": "OK"})
      </code>
    </regTest>
    <regTest title="Every link leads to a star">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n FROM jmmc.link AS l
          LEFT JOIN jmmc.star AS s ON l.star_id=s.star_id WHERE s.star_id IS NULL">/tap/sync</url>
      <code>self.assertEqual(self.getFirstVOTableRow()["n"], 0)</code>
    </regTest>
    <regTest title="Every star of JSDC with a position is there, with its position">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n FROM jsdc.star AS j
          LEFT JOIN jmmc.star AS s ON s.jsdc_id=j.star_id
          WHERE j.ra IS NOT NULL AND (s.star_id IS NULL OR s.s_ra!=j.ra OR s.s_dec!=j.dec)"
        >/tap/sync</url>
      <code>self.assertEqual(self.getFirstVOTableRow()["n"], 0)</code>
    </regTest>
  </regSuite>
</resource>
