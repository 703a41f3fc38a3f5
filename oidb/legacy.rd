<resource schema="public" resdir=".">
  <!-- The table `oidb` of the former service, for scripts that say FROM oidb: the granules of
    oidb.granule under the names of that time. A view, nothing is stored twice. -->
  <meta name="title">OiDB under its former table name</meta>
  <meta name="creationDate">2026-11-22T12:00:00Z</meta>
  <meta name="description">The granules of OiDB in one table with the column names that scripts
    written for the former OiDB service use. New queries are better served by ivoa.obscore and
    oidb.granule.</meta>
  <meta name="subject">optical-interferometry</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>

  <table id="oidb" onDisk="True" adql="hidden">
    <meta name="description">Granules of OiDB under the column names of the former service.</meta>
    <meta name="_associatedDatalinkService">
      <meta name="serviceId">oidb/q#dl</meta>
      <meta name="idColumn">obs_publisher_did</meta>
    </meta>
    <index columns="id" metaOnly="True"/>
    <index columns="target_name" metaOnly="True"/>
    <index columns="obs_publisher_did" metaOnly="True"/>
    <column original="//obscore#ObsCore.dataproduct_type"/>
    <LOOP listItems="calib_level target_name obs_id obs_collection obs_creator_name obs_release_date obs_publisher_did bib_reference">
      <events><column original="oidb/q#granule.\item"/></events>
    </LOOP>
    <column name="data_rights" type="text" ucd="meta.code" utype="obscore:Curation.rights"
      description="public, or secure until the release date."/>
    <LOOP listItems="access_url access_format access_estsize s_ra s_dec s_fov s_region s_resolution t_min t_max t_exptime t_resolution em_min em_max em_res_power o_ucd pol_states facility_name instrument_name instrument_mode quality_level">
      <events><column original="oidb/q#granule.\item"/></events>
    </LOOP>
    <column original="oidb/q#granule.stations" name="interferometer_stations"/>
    <column original="oidb/q#granule.em_xel" name="nb_channels"/>
    <LOOP listItems="nb_vis nb_vis2 nb_t3">
      <events><column original="oidb/q#granule.\item"/></events>
    </LOOP>
    <column name="keywords" type="text" ucd="meta.note"
      description="Always NULL, as it was in the former service."/>
    <column original="oidb/q#granule.ingested" name="subdate"/>
    <column original="oidb/q#granule.granule_id" name="id"/>
    <LOOP listItems="progid datapi access_md5 proposal_subid dataproduct_category procsoft">
      <events><column original="oidb/q#granule.\item"/></events>
    </LOOP>
    <column original="oidb/q#granule.quality_flags" name="note"/>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT 'visibility'::text, calib_level, target_name, obs_id, obs_collection,
          obs_creator_name, COALESCE(obs_release_date, ingested), obs_publisher_did,
          bib_reference,
          CASE WHEN obs_release_date > (now() AT TIME ZONE 'UTC') THEN 'secure' ELSE 'public' END,
          access_url, access_format, access_estsize, s_ra, s_dec, s_fov, s_region, s_resolution,
          t_min, t_max, t_exptime, t_resolution, em_min, em_max, em_res_power, o_ucd, pol_states,
          facility_name, COALESCE(instrument_name, insname), instrument_mode, quality_level,
          stations, em_xel, nb_vis, nb_vis2, nb_t3, NULL::text, ingested, granule_id,
          progid, datapi, access_md5, proposal_subid, dataproduct_category, procsoft,
          NULLIF(quality_flags, '')
        FROM oidb.granule)
    </viewStatement>
  </table>

  <data id="create">
    <make table="oidb"/>
  </data>

  <regSuite title="Former table">
    <regTest title="Unqualified oidb works, and holds each granule once">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS m FROM oidb"
        >/tap/sync</url>
      <code>
        row = self.getFirstVOTableRow()
        self.assertEqual(row["n"], row["m"])
      </code>
    </regTest>
    <regTest title="The former path of the service answers, with former names of formats">
      <url parSet="TAP" FORMAT="votable/td" QUERY="SELECT TOP 1 id, access_url FROM oidb"
        >/vollt/tap/sync</url>
      <code>
        self.assertHTTPStatus(200)
        self.assertXpath("//v:FIELD[1]", {"name": "id", "datatype": "long"})
      </code>
    </regTest>
  </regSuite>
</resource>
