<resource schema="jmmc" resdir=".">
  <!-- From publications to data: the bibcodes of Olbin, JMDC and OiDB are the same. -->
  <meta name="title">From publications to data of the JMMC</meta>
  <meta name="shortName">JMMC biblinks</meta>
  <meta name="creationDate">2026-11-26T12:00:00Z</meta>
  <meta name="description">Which data of the JMMC belong to which publication: collections of OIFITS
    files in OiDB, measured diameters of stars in JMDC, by bibcode.</meta>
  <meta name="subject">interferometry</meta>
  <meta name="subject">optical-interferometry</meta>
  <meta name="subject">astronomical-reference-materials</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>
  <meta name="type">Bibliography</meta>

  <macDef name="bibcode">^[12][0-9]{3}[A-Za-z][!-~]{14}$</macDef>

  <table id="publication_link" onDisk="True" adql="True">
    <meta name="description">Data of this centre by the publication that they belong to. The
      publication need not be in olbin.publication.</meta>
    <index columns="bibcode" metaOnly="True"/>
    <column original="olbin/q#publication.bibcode"/>
    <column name="data_set" type="text" required="True" ucd="meta.code.class" verbLevel="1"
      description="Where the data are: oidb, or jmdc."/>
    <column name="entry" type="text" required="True" ucd="meta.id" verbLevel="1"
      description="What the data are there: the collection (obs_collection) of OiDB, the bibcode of
        the measurements of JMDC."/>
    <column name="title" type="unicode" ucd="meta.title" verbLevel="1"
      description="The data in words."/>
    <column name="relationship" type="text" required="True" ucd="meta.code" verbLevel="10"
      description="What the data are to the publication, by the IVOA's vocabulary
        relationship_type."/>
    <column name="number_of_links" type="integer" required="True" ucd="meta.number" verbLevel="5"
      description="How many there are: files of OiDB, measurements of JMDC."/>
    <column name="url" type="text" required="True" ucd="meta.ref.url" verbLevel="5"
      description="Address of a page that shows them."/>
    <!-- JMDC has bibcodes made of dots, for what was never published; collections of OiDB may
      refer to something else. -->
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT c.bib_reference, 'oidb'::text, c.obs_collection, c.title,
          'IsSupplementedBy'::text, COUNT(f.file_id)::integer,
          '\getConfig{web}{serverURL}/static/oidb.html?collection='
            || gavo_urlescape(c.obs_collection)
        FROM oidb.collection AS c JOIN oidb.stored_file AS f USING (obs_collection)
        WHERE c.bib_reference ~ '\bibcode'
        GROUP BY c.obs_collection
        UNION ALL
        SELECT m.bibcode, 'jmdc'::text, m.bibcode,
          'Diameters of ' || COUNT(DISTINCT m.star_id) || ' stars',
          'IsSupplementedBy'::text, COUNT(*)::integer,
          '\getConfig{web}{serverURL}/jmdc/?bibcode=' || gavo_urlescape(m.bibcode)
        FROM jmdc.stored_measurement AS m
        WHERE m.is_current=1 AND m.bibcode ~ '\bibcode'
        GROUP BY m.bibcode)
    </viewStatement>
  </table>

  <table id="biblink" onDisk="True" adql="False">
    <meta name="description">The same for bibliographic services: as DaCHS' own table of links is,
      but always up to date.</meta>
    <FEED source="//biblinks#output-columns"/>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT bibcode, relationship, url, NULL::text, number_of_links
        FROM \schema.publication_link)
    </viewStatement>
  </table>

  <data id="views">
    <make table="publication_link"/>
    <make table="biblink"/>
  </data>

  <!-- The registry's record of the table. -->
  <data id="tables" auto="False">
    <publish sets="ivo_managed"/>
    <make table="publication_link"/>
  </data>

  <service id="links" allowed="biblinks.json">
    <meta name="title">Links from publications to data of the JMMC</meta>
    <meta name="shortName">JMMC biblinks</meta>
    <meta name="description">For bibliographic services: links from bibcodes to the collections of
      OiDB and the measurements of JMDC that belong to them (IVOA note Bibliographic Interfaces in
      the VO 1.0).</meta>
    <fixedQueryCore query="SELECT * FROM jmmc.biblink ORDER BY bib_ref, dataset_ref">
      <outputTable original="biblink"/>
    </fixedQueryCore>
    <publish render="biblinks.json" sets="ivo_managed"/>
  </service>

  <regSuite title="From publications to data">
    <regTest title="Links are JSON as BibVO has it">
      <url>links/biblinks.json</url>
      <code>
        self.assertHTTPStatus(200)
        self.assertHeader("content-type", "application/json")
        import json
        for link in json.loads(self.data):
          assert {"bib-ref", "relationship", "dataset-ref"} &lt;= set(link), link
          assert len(link["bib-ref"]) == 19, link
      </code>
    </regTest>
  </regSuite>
</resource>
