<resource schema="olbin" resdir=".">
  <!-- Olbin, the publications of optical interferometry and what they are about. -->
  <meta name="title">Olbin: publications of optical interferometry</meta>
  <meta name="shortName">Olbin</meta>
  <meta name="creationDate">2026-11-26T12:00:00Z</meta>
  <meta name="description" format="rst">
    Refereed publications that use, or are about, optical and infrared long-baseline
    interferometry, since the first ones. Each has tags: facility, instrument, astrophysical topic,
    wavelength, spectral resolution, technique.

    By their bibcodes they lead to the data they come from: jmmc.publication_link names the files
    of OiDB and the stellar diameters of JMDC that belong to a publication.
  </meta>
  <meta name="subject">interferometry</meta>
  <meta name="subject">long-baseline-interferometry</meta>
  <meta name="subject">optical-interferometry</meta>
  <meta name="subject">astronomical-reference-materials</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>
  <meta name="contentLevel">Research</meta>
  <meta name="type">Bibliography</meta>
  <meta name="coverage.waveband">Optical</meta>
  <meta name="coverage.waveband">Infrared</meta>
  <meta name="_longdoc" format="rst">
    The list and its tags are those of the `Olbin publication database
    &lt;https://publications.jmmc.fr&gt;`_, whose curators follow the literature with ADS.
  </meta>

  <STREAM id="bibcode">
    <column name="bibcode" type="text" required="True" ucd="meta.bib.bibcode" verbLevel="1"
      description="Bibcode of the publication in ADS."/>
  </STREAM>

  <table id="publication" onDisk="True" adql="True" primary="bibcode">
    <meta name="description">Publications of optical and infrared interferometry.</meta>
    <index columns="pub_year"/>
    <FEED source="bibcode"/>
    <column name="title" type="unicode" ucd="meta.title" verbLevel="1"
      description="Title; NULL where it is not known here."/>
    <column name="journal" type="text" required="True" ucd="meta.bib.journal" verbLevel="1"
      description="Journal, by the abbreviation in the bibcode."/>
    <column name="pub_year" type="smallint" required="True" ucd="time.publiYear" verbLevel="1"
      tablehead="Year" description="Year of publication, from the bibcode."/>
    <column name="pubdate" type="text" ucd="time.release" verbLevel="10"
      description="Date of publication (ISO 8601) as far as it is known: 2024-03, or 2024; NULL
        where only the year is."/>
    <column name="updated" type="timestamp" required="True" ucd="time.processing" verbLevel="20"
      description="Last change of the publication or of its tags here (UTC)."/>
  </table>

  <table id="tag" onDisk="True" adql="True" primary="bibcode, category, tag">
    <meta name="description">Tags of the publications: what each is about.</meta>
    <foreignKey inTable="publication" source="bibcode"/>
    <index columns="category, tag"/>
    <FEED source="bibcode"/>
    <column name="category" type="text" required="True" ucd="meta.code.class" verbLevel="1"
      description="Category of the tag: Main category, Facility, Instrument, Astrophysical topic,
        Wavelength, Spectral resolution, Technique, or JMMC for the software and services used.">
      <property name="statistics">enumerate</property>
    </column>
    <column name="tag" type="text" required="True" ucd="meta.id" verbLevel="1"
      description="The tag."/>
  </table>

  <!-- res/store.py fills these, with the columns named here. -->
  <data id="create" updating="True">
    <make table="publication"/>
    <make table="tag"/>
  </data>

  <!-- The registry's record of the data set as a whole. -->
  <data id="tables" auto="False">
    <publish sets="ivo_managed"/>
    <LOOP listItems="publication tag">
      <events><make table="\item"/></events>
    </LOOP>
  </data>

  <regSuite title="Olbin">
    <regTest title="The year and the journal are those of the bibcode">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n FROM olbin.publication
          WHERE bibcode NOT LIKE '____' || journal || '%'"
        >/tap/sync</url>
      <code>self.assertEqual(self.getFirstVOTableRow()["n"], 0)</code>
    </regTest>
  </regSuite>
</resource>
