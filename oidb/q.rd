<resource schema="oidb" resdir=".">
  <!-- OiDB, the archive of optical-interferometry observations: tables, ingestion, views and
    services. What a value means and how it is computed is in ingest/; this file says what the
    tables are. Tables whose name begins with stored_ are not visible to ADQL: they hold what is
    private until a release date; the views of the same name without that word show the public
    part. -->
  <meta name="title">OiDB: optical interferometry data base</meta>
  <meta name="shortName">OiDB</meta>
  <meta name="creationDate">2026-11-22T12:00:00Z</meta>
  <meta name="description" format="rst">
    OiDB collects the data of the optical and infrared interferometers of the world, VLTI
    (PIONIER, GRAVITY, MATISSE, AMBER, MIDI), CHARA (MIRC-X, MYSTIC, SPICA, VEGA and others),
    NPOI, IOTA and more, in the OIFITS format, version 1 and 2.

    One row, a granule, is one target seen with one instrument set-up in one local night in one
    file. Granules are part of this data centre's ivoa.obscore; the tables here add what ObsCore
    cannot say: stations, baselines and points in the uv plane, numbers of measurements,
    provenance, and what the validation of the file found.
  </meta>
  <meta name="subject">interferometry</meta>
  <meta name="subject">long-baseline-interferometry</meta>
  <meta name="subject">optical-interferometry</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>
  <LOOP listItems="VLTI CHARA NPOI IOTA">
    <events><meta name="facility">\item</meta></events>
  </LOOP>
  <LOOP listItems="PIONIER GRAVITY MATISSE AMBER MIDI MIRC-X MYSTIC SPICA VEGA">
    <events><meta name="instrument">\item</meta></events>
  </LOOP>
  <meta name="contentLevel">Research</meta>
  <meta name="type">Archive</meta>
  <meta name="coverage.waveband">Optical</meta>
  <meta name="coverage.waveband">Infrared</meta>
  <meta name="productTypeServed">visibility</meta>
  <meta name="_longdoc" format="rst">
    The word *public* in the description of a table means that embargoed material shows up on
    its release date, without anybody doing anything. That a private granule exists, of what
    object, when and with which instrument, is public from the start; the file, its plots, its
    mean visibilities and the report on it are not.
  </meta>

  <!-- =============================== shared column texts =============================== -->

  <STREAM id="granule-key">
    <column name="granule_id" type="bigint" required="True" ucd="meta.id" tablehead="Granule"
      description="Identifier of the granule, derived from the content of its file: the same in
        every installation and after every ingestion." verbLevel="10"/>
  </STREAM>

  <STREAM id="file-key">
    <column name="file_id" type="bigint" required="True" ucd="meta.id;meta.file" tablehead="File"
      description="Identifier of the file, derived from its content and collection." verbLevel="10"/>
  </STREAM>

  <!-- ==================================== tables ===================================== -->

  <table id="collection" onDisk="True" adql="True" primary="obs_collection">
    <meta name="description">Collections of OiDB: files that belong together, such as those of
      one publication, one programme or one pipeline.</meta>
    <column original="//obscore#ObsCore.obs_collection" required="True" verbLevel="1"
      description="Identifier of the collection."/>
    <column name="title" type="unicode" ucd="meta.title" verbLevel="1"
      description="Title of the collection."/>
    <column name="description" type="unicode" ucd="meta.note" verbLevel="15"
      description="What the collection holds and how it was made."/>
    <column name="collection_type" type="text" ucd="meta.code.class" verbLevel="15"
      description="Kind of collection: public, simulation, embargoed, published."/>
    <column name="bib_reference" type="text" ucd="meta.bib.bibcode" verbLevel="15"
      description="Bibcode of the publication that presents the data; NULL when there is none."/>
    <column name="embargo_days" type="integer" unit="d" ucd="time.duration;time.release"
      verbLevel="25"
      description="Days between the end of an observation of science and its release; NULL when
        the collection has no embargo.">
      <values nullLiteral="-1"/>
    </column>
    <column name="created" type="timestamp" ucd="time.creation" verbLevel="20"
      description="When the collection was made here (UTC)."/>
  </table>

  <table id="stored_file" onDisk="True" adql="False" primary="file_id">
    <meta name="description">Files of OiDB with everything known of them. ADQL sees the view
      oidb.file.</meta>
    <foreignKey inTable="collection" source="obs_collection"/>
    <index columns="obs_collection"/>
    <index columns="sha256"/>
    <FEED source="file-key"/>
    <column original="//obscore#ObsCore.obs_collection" required="True" verbLevel="1"/>
    <column name="file_name" type="text" required="True" ucd="meta.id;meta.file" verbLevel="1"
      description="Name under which the file was handed in."/>
    <column name="source" type="text" ucd="meta.ref" verbLevel="30"
      description="Where the file was ingested from; stays inside the data centre."/>
    <column name="access_url" type="text" ucd="meta.ref.url" displayHint="type=product"
      verbLevel="1" description="Address of the file; leads to a remote archive when the file is
        not hosted here."/>
    <column name="url" type="text" ucd="meta.ref.url" verbLevel="15"
      description="Address of the file in the remote archive that hosts it; NULL when it is hosted
        here."/>
    <column name="file_size" type="bigint" required="True" unit="byte" ucd="phys.size;meta.file"
      verbLevel="5" description="Size of the file."/>
    <column name="sha256" type="text" required="True" ucd="meta.checksum" verbLevel="15"
      description="SHA-256 checksum of the file, hexadecimal."/>
    <column name="md5" type="text" required="True" ucd="meta.checksum" verbLevel="15"
      description="MD5 checksum of the file, hexadecimal."/>
    <column name="media_type" type="text" required="True" ucd="meta.code.mime" verbLevel="15"
      description="Media type under which the file is served."/>
    <column name="oifits_version" type="smallint" required="True" ucd="meta.version"
      verbLevel="5" description="Version of the OIFITS standard the file follows: 1 or 2."/>
    <column original="//obscore#ObsCore.calib_level" required="True"/>
    <column name="n_granules" type="integer" required="True" ucd="meta.number" verbLevel="5"
      description="Granules in the file."/>
    <column name="n_errors" type="integer" required="True" ucd="meta.number"
      verbLevel="15" description="Rules of the standard that the file breaks, each counted once a
        table and column."/>
    <column name="n_warnings" type="integer" required="True" ucd="meta.number" verbLevel="15"
      description="Warnings of the validation, counted as the errors are."/>
    <column name="obs_release_date" type="timestamp" ucd="time.release" verbLevel="10"
      description="When the file becomes public (UTC): the latest of the release dates that hold for
        it; NULL when it always was."/>
    <column name="owner" type="text" verbLevel="30"
      description="Group whose members may use the file before its release."/>
    <column name="release_date" type="date" ucd="time.release" verbLevel="30"
      description="Release date as given with the ingestion."/>
    <column name="own_release_date" type="timestamp" ucd="time.release" verbLevel="30"
      description="Release date (UTC) by what was said with the ingestion and by the embargo of the
        collection; NULL when neither keeps the file back."/>
    <column name="raw_release_date" type="timestamp" ucd="time.release" verbLevel="30"
      description="The latest release date (UTC) of the raw files the file was made of, as the
        archive of the observatory gives it; NULL when no observation log tells."/>
    <column name="datapi" type="unicode" ucd="meta.curation;obs.observer" verbLevel="30"
      description="Principal investigator as given with the ingestion."/>
    <column name="ingested" type="timestamp" required="True" ucd="time.processing" verbLevel="20"
      description="When the file was ingested (UTC)."/>
    <column name="plotted" type="timestamp" ucd="time.processing" verbLevel="30"
      description="When its plots were drawn (UTC); NULL when they are still missing."/>
  </table>

  <table id="granule" onDisk="True" adql="True" primary="granule_id">
    <meta name="description">Granules of OiDB: one row for each target, instrument set-up and
      local night of an OIFITS file.</meta>
    <meta name="_associatedDatalinkService">
      <meta name="serviceId">dl</meta>
      <meta name="idColumn">obs_publisher_did</meta>
    </meta>
    <foreignKey inTable="stored_file" source="file_id"/>
    <foreignKey inTable="collection" source="obs_collection"/>
    <mixin>//scs#pgs-pos-index</mixin>
    <index columns="file_id"/>
    <index columns="target_name"/>
    <index columns="instrument_name"/>
    <index columns="obs_collection"/>
    <index columns="night"/>
    <index columns="t_min"/>
    <index columns="t_max"/>
    <index columns="em_min"/>
    <index columns="em_max"/>
    <index columns="progid"/>
    <index columns="obs_publisher_did"/>

    <!-- target and identity -->
    <column original="//obscore#ObsCore.target_name" verbLevel="1"
      description="Name of the target as the file gives it."/>
    <column original="//obscore#ObsCore.s_ra" ucd="pos.eq.ra;meta.main" verbLevel="1"
      description="Right ascension of the target (ICRS) as the file gives it."/>
    <column original="//obscore#ObsCore.s_dec" ucd="pos.eq.dec;meta.main" verbLevel="1"
      description="Declination of the target (ICRS) as the file gives it."/>
    <column original="//obscore#ObsCore.obs_publisher_did" required="True"
      ucd="meta.id;meta.main" verbLevel="1"/>
    <FEED source="granule-key"/>
    <FEED source="file-key"/>
    <column name="granule_number" type="integer" required="True" ucd="meta.number"
      verbLevel="25" description="Number of the granule in its file, from 0."/>
    <column original="//obscore#ObsCore.obs_collection" required="True"/>
    <column original="//obscore#ObsCore.obs_id" required="True"
      description="Identifier of the observation: the archive's name of the file, else the name
        of the file here without its suffix."/>
    <column original="//obscore#ObsCore.calib_level" required="True"/>
    <column name="dataproduct_category" type="text" ucd="meta.id"
      utype="ObsDataset.dataProductSubtype" verbLevel="5"
      description="SCIENCE or CALIB, where the file says so; NULL when it does not.">
      <property name="statistics">enumerate</property>
    </column>

    <!-- access -->
    <column original="//obscore#ObsCore.access_url"
      description="Address of the OIFITS file the granule is in."/>
    <column original="//obscore#ObsCore.access_format"/>
    <column original="//obscore#ObsCore.access_estsize"/>
    <column name="access_md5" type="text" ucd="meta.checksum" verbLevel="20"
      description="MD5 checksum of the file, hexadecimal."/>
    <column name="obs_release_date" type="timestamp" ucd="time.release"
      utype="obscore:Curation.releaseDate" verbLevel="10"
      description="When the data become public (UTC); NULL when they always were."/>
    <column name="obs_creator_name" type="unicode" ucd="meta.id"
      utype="obscore:DataID.Creator" verbLevel="20"
      description="Who made the file, where its header says so."/>
    <column name="bib_reference" type="text" ucd="meta.bib.bibcode"
      utype="obscore:Curation.Reference" verbLevel="15"
      description="Bibcode of the publication that presents the data; NULL when there is none."/>

    <!-- space -->
    <column original="//obscore#ObsCore.s_fov"
      description="Diameter of the field of view: longest wavelength over telescope diameter."/>
    <column original="//obscore#ObsCore.s_region"
      description="The field of view as a polygon."/>
    <column original="//obscore#ObsCore.s_resolution"
      description="Angular resolution: shortest wavelength over twice the longest projected
        baseline."/>
    <column name="s_resolution_max" type="double precision" unit="arcsec"
      ucd="pos.angResolution;stat.max" verbLevel="20"
      description="Angular resolution at the longest wavelength."/>
    <column name="s_largest_angular_scale" type="double precision" unit="arcsec"
      ucd="phys.angSize;stat.max" verbLevel="20"
      description="Largest angular scale: wavelength in the middle of the band over the shortest
        projected baseline."/>

    <!-- time -->
    <column original="//obscore#ObsCore.t_min" xtype="" displayHint="sf=5" verbLevel="1"
      description="Begin of the first integration (MJD, UTC)."/>
    <column original="//obscore#ObsCore.t_max" xtype="" displayHint="sf=5"
      description="End of the last integration (MJD, UTC)."/>
    <column original="//obscore#ObsCore.t_exptime"
      description="Time on target: integrations that overlap in time count once; NULL when the
        file does not say."/>
    <column original="//obscore#ObsCore.t_resolution"/>
    <column original="//obscore#ObsCore.t_xel"
      description="Number of distinct integrations."/>
    <column name="night" type="date" ucd="time.epoch;obs" verbLevel="5"
      description="Local night at the array, by the date of its evening; nights change at local
        mean noon."/>
    <column name="int_time_min" type="double precision" unit="s"
      ucd="time.duration;obs.exposure;stat.min" verbLevel="25"
      description="Shortest INT_TIME as written in the file, right or wrong."/>
    <column name="int_time_max" type="double precision" unit="s"
      ucd="time.duration;obs.exposure;stat.max" verbLevel="25"
      description="Longest INT_TIME as written in the file, right or wrong."/>

    <!-- spectrum -->
    <column original="//obscore#ObsCore.em_min" verbLevel="5"
      description="Lower edge of the band (vacuum), over channels that are not flagged
        throughout."/>
    <column original="//obscore#ObsCore.em_max" verbLevel="5"
      description="Upper edge of the band (vacuum), over channels that are not flagged
        throughout."/>
    <column original="//obscore#ObsCore.em_res_power"
      description="Spectral resolution: median of wavelength over bandwidth of the channels."/>
    <column original="//obscore#ObsCore.em_xel"
      description="Number of spectral channels."/>
    <column original="//obscore#ObsCore.o_ucd"/>
    <column original="//obscore#ObsCore.pol_states"/>
    <column original="//obscore#ObsCore.pol_xel"/>

    <!-- facility and instrument -->
    <column original="//obscore#ObsCore.facility_name"
      description="Interferometer, by its common name."/>
    <column original="//obscore#ObsCore.instrument_name" verbLevel="1"
      description="Instrument, by its common name; NULL when it cannot be told."/>
    <column name="instrument_mode" type="text" ucd="meta.id;instr.setup" verbLevel="5"
      description="Mode of the instrument by the name that ASPRO2 uses; NULL when it cannot be
        told."/>
    <column name="insname" type="text" required="True" ucd="meta.id;instr" verbLevel="15"
      description="INSNAME as written in the file."/>
    <column name="arrname" type="text" ucd="meta.id;instr.tel" verbLevel="15"
      description="ARRNAME as written in the file; several are separated by commas."/>
    <column name="stations" type="text" ucd="meta.id;instr" verbLevel="5"
      description="Stations of the telescopes that took part, separated by blanks."/>
    <column name="tel_number" type="integer" ucd="meta.number;instr.tel" verbLevel="10"
      description="Number of telescopes that took part.">
      <values nullLiteral="-1"/>
    </column>
    <column name="tel_diameter" type="double precision" unit="m" ucd="instr.param"
      verbLevel="20" description="Diameter of the largest telescope that took part."/>
    <column name="tel_min_dist" type="double precision" unit="m" ucd="instr.baseline;stat.min"
      verbLevel="20" description="Shortest distance on the ground between telescopes that took
        part."/>
    <column name="tel_max_dist" type="double precision" unit="m" ucd="instr.baseline;stat.max"
      verbLevel="20" description="Longest distance on the ground between telescopes that took
        part."/>

    <!-- uv plane -->
    <column name="uv_distance_min" type="double precision" unit="m"
      ucd="stat.fourier;pos;stat.min" verbLevel="10"
      description="Shortest projected baseline."/>
    <column name="uv_distance_max" type="double precision" unit="m"
      ucd="stat.fourier;pos;stat.max" verbLevel="10"
      description="Longest projected baseline."/>
    <column name="uv_distribution_ecc" type="double precision" ucd="stat.fourier;pos"
      verbLevel="20" description="Eccentricity of the distribution of the points in the uv plane:
        0 round, 1 along a line."/>
    <column name="uv_distribution_fill" type="double precision"
      ucd="stat.fourier;pos;arith.ratio" verbLevel="20"
      description="Part of the ellipse around the points of the uv plane that is sampled, on a
        grid of 32 cells across."/>

    <!-- contents -->
    <LOOP>
      <csvItems>
        kind, oitable
        vis,  OI_VIS
        vis2, OI_VIS2
        t3,   OI_T3
        flux, OI_FLUX
      </csvItems>
      <events>
        <column name="nb_\kind" type="integer" required="True" ucd="meta.number" verbLevel="10"
          description="Rows of \oitable."/>
        <column name="nb_\kind\+_points" type="integer" required="True" ucd="meta.number"
          verbLevel="20" description="Usable points in \oitable: finite and not flagged."/>
      </events>
    </LOOP>

    <!-- provenance -->
    <column name="progid" type="text" ucd="meta.id;obs.proposal" verbLevel="10"
      description="Identifier of the observing programme."/>
    <column name="prog_title" type="unicode" ucd="meta.title;obs.proposal" verbLevel="15"
      description="Title of the observing programme, where an observation log tells."/>
    <column name="proposal_subid" type="text" ucd="meta.id;obs.proposal" verbLevel="20"
      description="Observation block, or another part of the programme."/>
    <column name="datapi" type="unicode" ucd="meta.curation;obs.observer" verbLevel="10"
      description="Principal investigator, as given with the ingestion, else by the observation
        log (which may name co-investigators too), else by the header."/>
    <column name="procsoft" type="text" ucd="meta.id;meta.software" verbLevel="15"
      description="Pipeline and version that reduced the data."/>
    <column name="quality_level" type="integer" ucd="meta.code.qual" verbLevel="15"
      description="Quality as judged by the provider of the data: 1 trash, 2 to be reduced again,
        3 quick look, 4 science ready, 5 outstanding; NULL unknown.">
      <values nullLiteral="-1"/>
    </column>
    <column name="quality_flags" type="text" required="True" ucd="meta.code.qual" verbLevel="10"
      note="flags" description="What is wrong or doubtful in the source, as words separated by
        blanks; empty when nothing is known."/>
    <column name="ingested" type="timestamp" required="True" ucd="time.processing"
      verbLevel="25" description="When the granule was ingested (UTC)."/>
    <LOOP>
      <codeItems>
        from ingest import granules
        yield {"words": "\n\n".join(
          "*%s*: %s" % item for item in sorted(granules.QUALITY_FLAGS.items()))}
      </codeItems>
      <events><meta name="note" tag="flags" format="rst">\words</meta></events>
    </LOOP>

    <mixin
      obs_title="COALESCE(target_name || ', ', '') || COALESCE(instrument_name, insname)
        || COALESCE(', ' || night, '')"
      dataproduct_type="'visibility'"
      dataproduct_subtype="dataproduct_category"
      calib_level="calib_level"
      obs_collection="obs_collection"
      obs_id="obs_id"
      obs_publisher_did="obs_publisher_did"
      access_url="access_url"
      access_format="access_format"
      access_estsize="access_estsize"
      target_name="target_name"
      s_ra="s_ra" s_dec="s_dec" s_fov="s_fov" s_region="s_region" s_resolution="s_resolution"
      t_min="t_min" t_max="t_max" t_exptime="t_exptime" t_resolution="t_resolution" t_xel="t_xel"
      em_min="em_min" em_max="em_max" em_res_power="em_res_power" em_xel="em_xel"
      em_ucd="'em.wl'"
      o_ucd="o_ucd" pol_states="pol_states" pol_xel="pol_xel"
      facility_name="facility_name"
      instrument_name="COALESCE(instrument_name, insname)"
      preview="NULL"
      obs_release_date="obs_release_date"
      data_rights="CASE WHEN obs_release_date > (now() AT TIME ZONE 'UTC') THEN 'proprietary' ELSE 'public' END"
      >//obscore#publish</mixin>

    <mixin
      s_resolution_min="2*s_resolution" s_resolution_max="2*s_resolution_max"
      s_fov_min="s_fov*em_min/em_max" s_fov_max="s_fov"
      s_maximum_angular_scale="s_largest_angular_scale"
      f_resolution="2*299792.458/(em_min+em_max)/em_res_power"
      t_exp_min="CASE WHEN t_exptime IS NOT NULL THEN NULLIF(int_time_min, 0) END"
      t_exp_max="CASE WHEN t_exptime IS NOT NULL THEN int_time_max END"
      t_exp_mean="t_resolution"
      uv_distance_min="uv_distance_min" uv_distance_max="uv_distance_max"
      uv_distribution_ecc="uv_distribution_ecc" uv_distribution_fill="uv_distribution_fill"
      instrument_ant_number="tel_number"
      instrument_ant_min_dist="tel_min_dist" instrument_ant_max_dist="tel_max_dist"
      instrument_ant_diameter="tel_diameter"
      >//obs-radio#publish</mixin>
  </table>

  <table id="stored_baseline" onDisk="True" adql="False">
    <meta name="description">Points of the uv plane with the mean visibilities measured there.
      ADQL sees the view oidb.baseline.</meta>
    <foreignKey inTable="granule" source="granule_id"/>
    <index columns="granule_id"/>
    <index columns="length"/>
    <FEED source="granule-key"/>
    <column name="station1" type="text" ucd="meta.id;instr" verbLevel="1"
      description="First station of the pair."/>
    <column name="station2" type="text" ucd="meta.id;instr" verbLevel="1"
      description="Second station of the pair."/>
    <column name="mjd" type="double precision" unit="d" ucd="time.epoch" verbLevel="1"
      description="Time of the measurement (MJD, UTC), as written in the file."/>
    <column name="int_time" type="double precision" unit="s" ucd="time.duration;obs.exposure"
      verbLevel="20" description="Integration time; NULL where the file's is missing or
        implausible."/>
    <column name="u" type="double precision" unit="m" ucd="stat.fourier;pos" verbLevel="1"
      description="East component of the projected baseline."/>
    <column name="v" type="double precision" unit="m" ucd="stat.fourier;pos" verbLevel="1"
      description="North component of the projected baseline."/>
    <column name="length" type="double precision" unit="m" ucd="instr.baseline" verbLevel="1"
      description="Length of the projected baseline."/>
    <column name="position_angle" type="double precision" unit="deg" ucd="pos.posAng"
      verbLevel="1" description="Position angle of the projected baseline, north through east,
        0 to 360."/>
    <column name="vis2" type="double precision" ucd="stat.fourier;stat.mean" verbLevel="5"
      description="Mean squared visibility over the usable channels; NULL when there is none or
        while the file is private."/>
    <column name="vis2_err" type="double precision" ucd="stat.error;stat.fourier"
      verbLevel="10" description="Mean error of the same channels: the errors of a baseline are mostly
        calibration, hence common to its channels."/>
    <column name="n_channels" type="integer" required="True" ucd="meta.number;em.wl"
      verbLevel="15" description="Usable channels."/>
  </table>

  <table id="target_alias" onDisk="True" adql="True">
    <meta name="description">Other names and spellings under which the target of a granule goes
      in its file.</meta>
    <foreignKey inTable="granule" source="granule_id"/>
    <index columns="granule_id"/>
    <index columns="alias"/>
    <FEED source="granule-key"/>
    <column name="alias" type="text" required="True" ucd="meta.id;src" verbLevel="1"
      description="The other name."/>
    <column name="origin" type="text" required="True" ucd="meta.ref" verbLevel="10"
      description="Where the name stands: a header keyword, or another row of OI_TARGET at the
        same position."/>
  </table>

  <table id="progenitor" onDisk="True" adql="True">
    <meta name="description">Raw files that a file was made of, by their names in the
      observatory's archive: the way from OiDB to the observing log.</meta>
    <foreignKey inTable="stored_file" source="file_id"/>
    <index columns="file_id"/>
    <index columns="dp_id"/>
    <FEED source="file-key"/>
    <column name="dp_id" type="text" required="True" ucd="meta.id;meta.file" verbLevel="1"
      description="Name of the raw file in the archive, without suffix."/>
    <column name="category" type="text" ucd="meta.code.class" verbLevel="5"
      description="Part the raw file played in the reduction (DPR CATG or the pipeline's tag)."/>
  </table>

  <table id="stored_finding" onDisk="True" adql="False">
    <meta name="description">What the validation of the files found. ADQL sees the view
      oidb.finding.</meta>
    <foreignKey inTable="stored_file" source="file_id"/>
    <index columns="file_id"/>
    <index columns="rule"/>
    <FEED source="file-key"/>
    <column name="rule" type="text" required="True" ucd="meta.code" verbLevel="1"
      description="Rule of the validation."/>
    <column name="severity" type="text" required="True" ucd="meta.code.qual" verbLevel="1"
      description="error, warning or info."/>
    <column name="standard_section" type="text" ucd="meta.ref" verbLevel="15"
      description="Where the standard says so."/>
    <column name="hdu" type="integer" ucd="meta.number" verbLevel="5"
      description="Number of the HDU concerned, 0 the primary one.">
      <values nullLiteral="-1"/>
    </column>
    <column name="oi_table" type="text" ucd="meta.id;meta.table" verbLevel="5"
      description="Kind of the table concerned."/>
    <column name="member" type="text" ucd="meta.id" verbLevel="5"
      description="Column or keyword concerned."/>
    <column name="first_row" type="integer" ucd="meta.number" verbLevel="10"
      description="First row concerned, counted from 1.">
      <values nullLiteral="-1"/>
    </column>
    <column name="occurrences" type="integer" required="True" ucd="meta.number" verbLevel="10"
      description="How often the rule is broken there."/>
    <column name="message" type="unicode" required="True" ucd="meta.note" verbLevel="1"
      description="The finding in words."/>
  </table>

  <table id="stored_product" onDisk="True" adql="False" mixin="//products#table">
    <meta name="description">Everything OiDB hands out: OIFITS files, plots of granules, reports.
      One guard, the owner and embargo of the product, stands before all of them.</meta>
    <foreignKey inTable="stored_file" source="file_id"/>
    <index columns="file_id"/>
    <index columns="granule_id"/>
    <FEED source="file-key"/>
    <column name="granule_id" type="bigint" ucd="meta.id"
      description="Granule the product is about; NULL when it is about the file.">
      <values nullLiteral="-1"/>
    </column>
    <column name="semantics" type="text" required="True" ucd="meta.code"
      description="What the product is to the granule, by the Datalink vocabulary."/>
    <column name="description" type="text" required="True" ucd="meta.note"
      description="The product in words."/>
  </table>

  <table id="ingestion" onDisk="True" adql="False" primary="ingestion_id">
    <meta name="description">Runs of the ingestion.</meta>
    <column name="ingestion_id" type="text" required="True" description="When the run began, with
      its process number."/>
    <column name="started" type="timestamp" required="True" description="Begin (UTC)."/>
    <column name="finished" type="timestamp" description="End (UTC); NULL while running or when
      the run died."/>
    <column name="accepted" type="integer" required="True" description="Files stored."/>
    <column name="unchanged" type="integer" required="True" description="Files already there."/>
    <column name="rejected" type="integer" required="True" description="Files refused."/>
  </table>

  <!-- ============================= what ADQL sees of it ============================== -->

  <STREAM id="is-public">
    <doc>The condition under which a file is public, for the views.</doc>
    <macDef name="public">(f.obs_release_date IS NULL OR f.obs_release_date &lt;= (now() AT TIME ZONE 'UTC'))</macDef>
  </STREAM>
  <FEED source="is-public"/>

  <table id="file" onDisk="True" adql="True" primary="file_id">
    <meta name="description">Files of OiDB. Of a private file the address in a remote archive
      and the counts of the validation are NULL until its release.</meta>
    <foreignKey inTable="collection" source="obs_collection" metaOnly="True"/>
    <LOOP listItems="file_id obs_collection file_name access_url">
      <events><column original="stored_file.\item"/></events>
    </LOOP>
    <LOOP listItems="url file_size sha256 md5 media_type oifits_version n_granules">
      <events><column original="stored_file.\item"/></events>
    </LOOP>
    <LOOP listItems="n_errors n_warnings">
      <events>
        <column original="stored_file.\item" required="False">
          <values nullLiteral="-1"/>
        </column>
      </events>
    </LOOP>
    <column original="stored_file.obs_release_date"/>
    <column original="//obscore#ObsCore.data_rights"/>
    <column original="stored_file.ingested"/>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT file_id, obs_collection, file_name, access_url,
          CASE WHEN \public THEN url END,
          file_size, sha256, md5, media_type, oifits_version, n_granules,
          CASE WHEN \public THEN n_errors END,
          CASE WHEN \public THEN n_warnings END,
          obs_release_date,
          CASE WHEN \public THEN 'public' ELSE 'proprietary' END,
          ingested
        FROM \schema.stored_file AS f)
    </viewStatement>
  </table>

  <table id="baseline" onDisk="True" adql="True">
    <meta name="description">Points of the uv plane: one row for each granule, pair of stations
      and time, with the mean squared visibility measured there.</meta>
    <foreignKey inTable="granule" source="granule_id" metaOnly="True"/>
    <index columns="granule_id" metaOnly="True"/>
    <index columns="length" metaOnly="True"/>
    <LOOP listItems="granule_id station1 station2 mjd int_time u v length position_angle vis2 vis2_err n_channels">
      <events><column original="stored_baseline.\item"/></events>
    </LOOP>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT b.granule_id, station1, station2, mjd, int_time, u, v, length, position_angle,
          CASE WHEN \public THEN vis2 END,
          CASE WHEN \public THEN vis2_err END,
          n_channels
        FROM \schema.stored_baseline AS b
          JOIN \schema.granule AS g ON g.granule_id=b.granule_id
          JOIN \schema.stored_file AS f ON f.file_id=g.file_id)
    </viewStatement>
  </table>

  <table id="finding" onDisk="True" adql="True">
    <meta name="description">What the validation of the public files found, by rule; the same as
      in the report that comes with a granule (Datalink, documentation).</meta>
    <foreignKey inTable="file" source="file_id" metaOnly="True"/>
    <index columns="file_id" metaOnly="True"/>
    <LOOP listItems="file_id rule severity standard_section hdu oi_table member first_row occurrences message">
      <events><column original="stored_finding.\item"/></events>
    </LOOP>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT n.file_id, rule, severity, standard_section, hdu, oi_table, member, first_row,
          occurrences, message
        FROM \schema.stored_finding AS n
          JOIN \schema.stored_file AS f ON f.file_id=n.file_id
        WHERE \public)
    </viewStatement>
  </table>

  <!-- =================================== ingestion ==================================== -->

  <rowmaker id="as_is" idmaps="*"/>

  <data id="journal" updating="True">
    <make table="collection"/>
    <make table="ingestion"/>
  </data>

  <data id="import" updating="True">
    <!-- Fed one file at a time by res/ingestion.py; a source is what it makes of the file. -->
    <customGrammar module="res/grammar" isDispatching="True"/>
    <make table="stored_file" role="file" rowmaker="as_is"/>
    <make table="granule" role="granule">
      <rowmaker idmaps="*">
        <map key="s_region">None if @region is None else pgsphere.SPoly(
          [pgsphere.SPoint.fromDegrees(*corner) for corner in @region])</map>
      </rowmaker>
    </make>
    <make table="stored_baseline" role="baseline" rowmaker="as_is"/>
    <make table="target_alias" role="alias" rowmaker="as_is"/>
    <make table="progenitor" role="progenitor" rowmaker="as_is"/>
    <make table="stored_finding" role="finding" rowmaker="as_is"/>
    <make table="stored_product" role="product">
      <rowmaker idmaps="*"/>
    </make>
  </data>

  <data id="views">
    <make table="file"/>
    <make table="baseline"/>
    <make table="finding"/>
  </data>

  <data id="import_plots" updating="True">
    <customGrammar module="res/grammar" isDispatching="True"/>
    <make table="stored_product" role="product">
      <rowmaker idmaps="*"/>
    </make>
  </data>

  <!-- The registry's record of the data set as a whole; `dachs limits` fills in the coverage. -->
  <coverage>
    <updater sourceTable="granule"/>
  </coverage>
  <data id="tables" auto="False">
    <publish sets="ivo_managed"/>
    <LOOP listItems="granule baseline file collection target_alias progenitor finding">
      <events><make table="\item"/></events>
    </LOOP>
  </data>

  <!-- ==================================== services ==================================== -->

  <service id="dl" allowed="dlmeta">
    <meta name="title">OiDB Datalink</meta>
    <meta name="description">For a granule of OiDB: the OIFITS file, plots, the report of its
      validation, the raw files it was made of and their exposures, the other granules of the file,
      and a service that cuts the granule out.</meta>
    <FEED source="resources/links#core" data_sets="oidb"/>
  </service>

  <service id="cutout" allowed="custom" customPage="res/cutout_page">
    <meta name="title">OiDB cut-out</meta>
    <meta name="description">One granule, or a part of its wavelengths, as an OIFITS file of its
      own. Parameters as in SODA: ID, BAND; TARGET, INSNAME and NIGHT choose another granule of the
      same file.</meta>
    <nullCore/>
  </service>

  <service id="cone" allowed="scs.xml,form">
    <meta name="title">OiDB granules by position</meta>
    <meta name="shortName">OiDB cone</meta>
    <meta name="description">Optical-interferometry data of OiDB around a position on the sky: one
      row for each target, instrument set-up and night.</meta>
    <meta>
      testQuery.ra: 30.5
      testQuery.dec: -25.0
      testQuery.sr: 0.01
    </meta>
    <publish render="scs.xml" sets="ivo_managed"/>
    <publish render="form" sets="ivo_managed,local"/>
    <scsCore queriedTable="granule">
      <FEED source="//scs#coreDescs"/>
      <LOOP listItems="target_name instrument_name facility_name obs_collection progid">
        <events><condDesc buildFrom="\item"/></events>
      </LOOP>
      <condDesc buildFrom="night"/>
    </scsCore>
    <!-- What the form shows; VOTables have all columns, by their verbosity. -->
    <outputTable>
      <outputField original="//scs#distCol"/>
      <outputField original="target_name"/>
      <outputField original="obs_publisher_did" tablehead="More">
        <formatter>
          return T.a(href=base.makeSitePath(
            "/static/granule.html?id="+urllib.parse.quote(data, safe="")))["Granule"]
        </formatter>
      </outputField>
      <outputField original="night"/>
      <LOOP listItems="facility_name instrument_name instrument_mode stations">
        <events><outputField original="\item"/></events>
      </LOOP>
      <LOOP listItems="em_min em_max">
        <events>
          <outputField original="\item" displayHint="displayUnit=um,sf=3"/>
        </events>
      </LOOP>
      <outputField original="uv_distance_max" tablehead="Longest baseline"
        displayHint="sf=1"/>
      <outputField original="nb_vis2_points" tablehead="V² points"/>
      <outputField original="nb_t3_points" tablehead="T3 points"/>
      <outputField original="obs_collection"/>
      <outputField original="access_url"/>
    </outputTable>
  </service>

  <!-- ================================ regression tests ================================ -->

  <!-- They hold whatever data are in; tests/live looks at the demonstration data. -->
  <regSuite title="OiDB">
    <regTest title="A cone search is an SCS answer with the target first">
      <url RA="110.5" DEC="-25.2" SR="0.1" VERB="1">cone/scs.xml</url>
      <code>
        self.assertHTTPStatus(200)
        self.assertXpath("//v:FIELD[2]", {"name": "target_name"})
        self.assertXpath("//v:FIELD[@ucd='ID_MAIN']", {"name": "obs_publisher_did"})
        self.assertXpath("//v:FIELD[@ucd='POS_EQ_RA_MAIN']", {"datatype": "double", "unit": "deg"})
        self.assertXpath("//v:INFO[@name='QUERY_STATUS']", {"value": "OK"})
      </code>
    </regTest>
    <regTest title="Datalink says what it does not know">
      <url ID="ivo://example.org/~?nothing">dl/dlmeta</url>
      <code>
        self.assertHTTPStatus(200)
        self.assertHasStrings("NotFoundFault", "Nothing here has this identifier")
      </code>
    </regTest>
    <regTest title="The cut-out service does not know other granules">
      <url ID="ivo://example.org/~?nothing">cutout/custom</url>
      <code>self.assertHTTPStatus(404)</code>
    </regTest>
    <regTest title="The cut-out service wants an identifier">
      <url>cutout/custom</url>
      <code>
        self.assertHTTPStatus(400)
        self.assertHasStrings("UsageFault", "identifier of a granule")
      </code>
    </regTest>
    <regTest title="Granules are in ObsCore as visibilities">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n FROM oidb.granule AS g
          JOIN ivoa.obscore AS o ON g.obs_publisher_did=o.obs_publisher_did
          WHERE o.dataproduct_type!='visibility' OR o.source_table!='oidb.granule'"
        >/tap/sync</url>
      <code>self.assertEqual(self.getFirstVOTableRow()["n"], 0)</code>
    </regTest>
    <LOOP listItems="stored_file stored_baseline stored_finding stored_product ingestion">
      <events>
        <regTest title="ADQL does not see oidb.\item">
          <url parSet="TAP" QUERY="SELECT TOP 1 * FROM oidb.\item">/tap/sync</url>
          <code>self.assertHasStrings('value="ERROR"', "\item")</code>
        </regTest>
      </events>
    </LOOP>
    <regTest title="Private files show no address, counts or visibilities">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n FROM oidb.file AS f
          JOIN oidb.granule AS g ON g.file_id=f.file_id
          JOIN oidb.baseline AS b ON b.granule_id=g.granule_id
          WHERE f.data_rights='proprietary'
            AND (f.url IS NOT NULL OR f.n_errors IS NOT NULL OR b.vis2 IS NOT NULL)"
        >/tap/sync</url>
      <code>self.assertEqual(self.getFirstVOTableRow()["n"], 0)</code>
    </regTest>
  </regSuite>
</resource>
