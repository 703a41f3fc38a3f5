<resource schema="obsportal" resdir=".">
  <!-- ObsPortal, the logs of what VLTI and CHARA have observed. How a header becomes an exposure
    is in ingest/; this file says what the tables are. stored_header and stored_observation hold
    what their views, header and observation, show to ADQL in a more useful form. -->
  <meta name="title">ObsPortal: observation logs of VLTI and CHARA</meta>
  <meta name="shortName">ObsPortal</meta>
  <meta name="creationDate">2026-11-24T12:00:00Z</meta>
  <meta name="description" format="rst">
    Every exposure that the interferometers VLTI (PIONIER, GRAVITY, MATISSE, AMBER, MIDI, VINCI)
    and CHARA have made: what was observed, when, in which mode, with which stations and projected
    baselines, under which weather, for which programme. The log of VLTI follows the archive of
    ESO from hour to hour.

    Exposures of one object are tied to one target with one fixed position, whatever spelling of
    its name and whatever position their headers have. They are in this data centre's
    ivoa.obscore with calib_level 0, and in ivoa.obsplan as performed observations.
  </meta>
  <meta name="subject">interferometry</meta>
  <meta name="subject">long-baseline-interferometry</meta>
  <meta name="subject">optical-interferometry</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>
  <meta name="facility">VLTI</meta>
  <meta name="facility">CHARA</meta>
  <LOOP listItems="PIONIER GRAVITY MATISSE AMBER MIDI VINCI">
    <events><meta name="instrument">\item</meta></events>
  </LOOP>
  <meta name="contentLevel">Research</meta>
  <meta name="type">Archive</meta>
  <meta name="coverage.waveband">Optical</meta>
  <meta name="coverage.waveband">Infrared</meta>

  <macDef name="did">'ivo://\getConfig{ivoa}{authority}/~?obsportal/' || exposure_id</macDef>

  <!-- =============================== shared column texts =============================== -->

  <STREAM id="exposure-key">
    <column name="exposure_id" type="text" required="True" ucd="meta.id;meta.main"
      tablehead="Exposure" verbLevel="1" description="Identifier of the exposure: the name of its
        raw file in the archive, and the number of the exposure in it."/>
  </STREAM>

  <STREAM id="header-key">
    <column name="header_id" type="text" required="True" ucd="meta.id;meta.file" tablehead="File"
      verbLevel="10" description="Name of the raw file in the archive (ESO: DP.ID), or of the
        entry in the log of an array that has no such archive."/>
  </STREAM>

  <STREAM id="target-key">
    <column name="target_id" type="integer" ucd="meta.id;src" tablehead="Target" verbLevel="5"
      description="Number of the target, given once and for all; NULL for frames that saw no sky.">
      <values nullLiteral="-1"/>
    </column>
  </STREAM>

  <STREAM id="programme">
    <column name="progid" type="text" ucd="meta.id;obs.proposal" verbLevel="5"
      tablehead="Programme" description="Identifier of the observing programme."/>
  </STREAM>

  <STREAM id="observation-block">
    <column name="ob_id" type="bigint" ucd="meta.id;obs" verbLevel="10"
      description="Number of the observation block; NULL when there was none.">
      <values nullLiteral="-1"/>
    </column>
    <column name="ob_name" type="unicode" ucd="meta.title;obs" verbLevel="15"
      description="Name of the observation block."/>
    <column name="ob_container_id" type="bigint" ucd="meta.id;obs" verbLevel="20"
      description="Number of the container (concatenation, group) of the observation block.">
      <values nullLiteral="-1"/>
    </column>
  </STREAM>

  <STREAM id="set-up">
    <column original="//obscore#ObsCore.facility_name" verbLevel="5"
      description="Interferometer, by its common name."/>
    <column original="//obscore#ObsCore.instrument_name" required="True" verbLevel="1"
      description="Instrument, by its common name."/>
    <column name="instrument_mode" type="text" ucd="meta.id;instr.setup" verbLevel="1"
      description="Mode of the instrument by the name that ASPRO2 uses; NULL when the log does not
        tell it, or ASPRO2 does not know it."/>
    <column name="instrument_submode" type="text" ucd="meta.id;instr.setup" verbLevel="10"
      description="What else there is to tell of the mode, such as SINGLE or DUAL field."/>
  </STREAM>

  <STREAM id="category">
    <column name="dataproduct_category" type="text" ucd="meta.id"
      utype="ObsDataset.dataProductSubtype" verbLevel="5"
      description="SCIENCE or CALIB; NULL for what is neither or is not known.">
      <property name="statistics">enumerate</property>
    </column>
  </STREAM>

  <STREAM id="position">
    <column original="//obscore#ObsCore.s_ra" type="double precision" ucd="pos.eq.ra;meta.main"
      verbLevel="1" displayHint="sf=6"
      description="Right ascension of the target (ICRS, epoch J2000): the same for all exposures of
        a target."/>
    <column original="//obscore#ObsCore.s_dec" type="double precision" ucd="pos.eq.dec;meta.main"
      verbLevel="1" displayHint="sf=6"
      description="Declination of the target (ICRS, epoch J2000): the same for all exposures of a
        target."/>
  </STREAM>

  <!-- ==================================== tables ===================================== -->

  <table id="stored_header" onDisk="True" adql="False" primary="header_id">
    <meta name="description">Raw files: what the archive lists of them, and their headers. ADQL
      sees the view obsportal.header.</meta>
    <index columns="last_mod_date"/>
    <index columns="state"/>
    <FEED source="header-key"/>
    <column name="archive" type="text" required="True" ucd="meta.id;obs" verbLevel="10"
      description="Where the log comes from: ESO, CHARA, or ObsPortal for what the former service
        held."/>
    <column name="instrument" type="text" ucd="meta.id;instr" verbLevel="10"
      description="Instrument as the archive calls it."/>
    <column name="dp_cat" type="text" ucd="meta.code.class" verbLevel="15"
      description="Category of the file in the archive (DPR CATG)."/>
    <column name="dp_type" type="text" ucd="meta.code.class" verbLevel="15"
      description="Type of the file in the archive (DPR TYPE)."/>
    <column name="dp_tech" type="text" ucd="meta.code.class" verbLevel="15"
      description="Technique of the file in the archive (DPR TECH)."/>
    <FEED source="programme"/>
    <column name="prog_title" type="unicode" ucd="meta.title;obs.proposal" verbLevel="15"
      description="Title of the observing programme."/>
    <column name="datapi" type="unicode" ucd="meta.curation;obs.observer" verbLevel="10"
      description="Principal and co-investigators, as the archive names them."/>
    <column name="mjd_obs" type="double precision" unit="d" ucd="time.start;obs.exposure"
      verbLevel="10" description="Begin as the archive lists it (MJD, UTC)."/>
    <column name="obs_release_date" type="timestamp" ucd="time.release"
      utype="obscore:Curation.releaseDate" verbLevel="10"
      description="When the file becomes public in the archive (UTC)."/>
    <column name="access_url" type="text" ucd="meta.ref.url" verbLevel="10"
      description="Address of the file in the archive."/>
    <column name="last_mod_date" type="timestamp" ucd="time.processing" verbLevel="10"
      description="Last change of the file's entry in the archive (UTC)."/>
    <column name="state" type="text" required="True" ucd="meta.code.status" verbLevel="10"
      description="listed: the header is still to be read; read; failed: it could not be read;
        withdrawn: the archive has it no more."/>
    <column name="problem" type="unicode" ucd="meta.note" verbLevel="15"
      description="Why the header could not be read; NULL when it was."/>
    <column name="listed" type="timestamp" required="True" ucd="time.processing" verbLevel="20"
      description="When the file was first seen in the archive (UTC)."/>
    <column name="fetched" type="timestamp" ucd="time.processing" verbLevel="20"
      description="When its header was obtained (UTC)."/>
    <column name="fetched_for" type="timestamp" ucd="time.processing" verbLevel="30"
      description="The last change in the archive that the header is of (UTC)."/>
    <column name="withdrawn" type="timestamp" ucd="time.processing" verbLevel="20"
      description="When the archive was found to have the file no more (UTC)."/>
    <column name="header" type="bytea" verbLevel="30"
      description="The header as obtained, compressed (zlib); NULL when there is none.">
      <values nullLiteral="0"/> <!-- no service shows the column; only `dachs val` asks -->
    </column>
  </table>

  <table id="target" onDisk="True" adql="True" primary="target_id">
    <meta name="description">Targets of the observation logs: one row for each object on the sky,
      found by position with proper motion.</meta>
    <mixin>//scs#pgs-pos-index</mixin>
    <index columns="target_name"/>
    <column original="//obscore#ObsCore.target_name" required="True" verbLevel="1"
      description="Name that is used most often for the target; 'target' and its number when the
        logs give none."/>
    <FEED source="position"/>
    <column name="target_id" type="integer" required="True" ucd="meta.id;meta.main"
      tablehead="Target" verbLevel="1"
      description="Number of the target, given once and for all."/>
    <column name="pm_ra" type="double precision" unit="mas/yr" ucd="pos.pm;pos.eq.ra"
      verbLevel="10" description="Proper motion in right ascension times cos(declination), where
        the logs tell it."/>
    <column name="pm_dec" type="double precision" unit="mas/yr" ucd="pos.pm;pos.eq.dec"
      verbLevel="10" description="Proper motion in declination, where the logs tell it."/>
    <column name="n_exposures" type="integer" required="True" ucd="meta.number;obs.exposure"
      verbLevel="1" description="Number of exposures."/>
    <column name="merged_into" type="integer" ucd="meta.id;src" verbLevel="15"
      description="Target that this one was found to be; NULL for a target of its own right.">
      <values nullLiteral="-1"/>
    </column>
    <column name="created" type="timestamp" required="True" ucd="time.creation" verbLevel="20"
      description="When the target was first met (UTC)."/>
  </table>

  <table id="target_alias" onDisk="True" adql="True">
    <meta name="description">All names under which a target goes in the logs.</meta>
    <foreignKey inTable="target" source="target_id"/>
    <index columns="target_id"/>
    <index columns="alias"/>
    <index columns="alias_key"/>
    <column original="target.target_id"/>
    <column name="alias" type="text" required="True" ucd="meta.id;src" verbLevel="1"
      description="The name as the log has it."/>
    <column name="alias_key" type="text" required="True" ucd="meta.id;src" verbLevel="10"
      description="The name without what spellings differ in; equal for spellings of one name."/>
    <column name="n_exposures" type="integer" required="True" ucd="meta.number;obs.exposure"
      verbLevel="1" description="Number of exposures that go by it; 0 for a name that logs give
        only beside another."/>
  </table>

  <table id="target_neighbour" onDisk="True" adql="True">
    <meta name="description">Targets so close to each other that they may be taken for one: the
      components of a binary, or one star whose names do not tell. Each pair is there in both
      directions.</meta>
    <foreignKey inTable="target" source="target_id"/>
    <index columns="target_id"/>
    <index columns="neighbour_id"/>
    <column original="target.target_id"/>
    <column name="neighbour_id" type="integer" required="True" ucd="meta.id;src" verbLevel="1"
      description="The other target."/>
    <column name="separation" type="double precision" unit="arcsec" ucd="pos.angDistance"
      required="True" verbLevel="1" description="Distance on the sky."/>
  </table>

  <table id="target_change" onDisk="True" adql="True">
    <meta name="description">What operators have changed about targets.</meta>
    <index columns="target_id"/>
    <column name="changed" type="timestamp" required="True" ucd="time.processing" verbLevel="1"
      description="When (UTC)."/>
    <column name="kind" type="text" required="True" ucd="meta.code" verbLevel="1"
      description="merge: other_id became target_id; split: other_id was taken out of target_id."/>
    <column original="target.target_id"/>
    <column name="other_id" type="integer" ucd="meta.id;src" verbLevel="1"
      description="The other target.">
      <values nullLiteral="-1"/>
    </column>
    <column name="reason" type="unicode" ucd="meta.note" verbLevel="1"
      description="Why, in the operator's words."/>
  </table>

  <table id="stored_observation" onDisk="True" adql="False" primary="observation_id">
    <meta name="description">Observations: exposures of one observation block with one target and
      set-up. ADQL sees the view obsportal.observation.</meta>
    <index columns="target_id"/>
    <index columns="progid"/>
    <column name="observation_id" type="integer" required="True" ucd="meta.id;meta.main"
      tablehead="Observation" verbLevel="1"
      description="Number of the observation, given once and for all."/>
    <FEED source="target-key"/>
    <FEED source="set-up"/>
    <FEED source="category"/>
    <FEED source="programme"/>
    <FEED source="observation-block"/>
    <column name="night" type="date" ucd="time.epoch;obs" verbLevel="5"
      description="Local night at the array, by the date of its evening, of an observation without
        an observation block; NULL for others, which may take several nights."/>
  </table>

  <table id="exposure" onDisk="True" adql="True" primary="exposure_id">
    <meta name="description">Exposures of VLTI and CHARA: the observation log.</meta>
    <meta name="_associatedDatalinkService">
      <meta name="serviceId">dl</meta>
      <meta name="idColumn">obs_publisher_did</meta>
    </meta>
    <foreignKey inTable="stored_header" source="header_id"/>
    <mixin>//scs#pgs-pos-index</mixin>
    <index columns="header_id"/>
    <index columns="target_id, t_min"/>
    <index columns="observation_id"/>
    <index columns="obs_publisher_did"/>
    <index columns="target_name"/>
    <index columns="instrument_name, t_min"/>
    <index columns="progid"/>
    <index columns="ob_id"/>
    <index columns="t_min"/>
    <index columns="night"/>
    <index columns="updated"/>
    <!-- The first pages of /search: in the orders that it offers, where criteria leave much of the
      log, and where they leave nothing. -->
    <LOOP listItems="seeing uv_distance_max">
      <events>
        <index columns="\item, exposure_id"/>
        <index columns="facility_name, \item, exposure_id"/>
        <index columns="instrument_name, \item, exposure_id"/>
      </events>
    </LOOP>
    <index columns="instrument_mode, t_min"/>
    <index columns="validation_level, t_min"/>
    <index columns="s_region" method="GIST"/>

    <!-- target and identity -->
    <column original="//obscore#ObsCore.target_name" verbLevel="1"
      description="Name of the target as the log gives it."/>
    <FEED source="position"/>
    <FEED source="exposure-key"/>
    <FEED source="header-key"/>
    <column name="exposure_number" type="integer" required="True" ucd="meta.number"
      verbLevel="25" description="Number of the exposure in its file, from 1."/>
    <column original="//obscore#ObsCore.obs_publisher_did" required="True" ucd="meta.id"/>
    <column name="observation_id" type="integer" ucd="meta.id;obs" verbLevel="10"
      tablehead="Observation" description="The observation that the exposure belongs to; NULL for
        frames that saw no sky.">
      <values nullLiteral="-1"/>
    </column>
    <FEED source="target-key"/>
    <FEED source="set-up"/>
    <FEED source="category"/>
    <LOOP>
      <csvItems>
        name,     key,      words
        dpr_catg, DPR CATG, category
        dpr_type, DPR TYPE, type
        dpr_tech, DPR TECH, technique
      </csvItems>
      <events>
        <column name="\name" type="text" ucd="meta.code.class" verbLevel="20"
          description="The log's own word for the \words of the exposure (\key)."/>
      </events>
    </LOOP>
    <column name="log_ra" type="double precision" unit="deg" ucd="pos.eq.ra" verbLevel="20"
      displayHint="sf=6"
      description="Right ascension as the log of this exposure has it (J2000)."/>
    <column name="log_dec" type="double precision" unit="deg" ucd="pos.eq.dec" verbLevel="20"
      displayHint="sf=6" description="Declination as the log of this exposure has it (J2000)."/>

    <!-- time -->
    <column original="//obscore#ObsCore.t_min" type="double precision" xtype=""
      displayHint="sf=8" verbLevel="1" description="Begin of the exposure (MJD, UTC)."/>
    <column original="//obscore#ObsCore.t_max" type="double precision" xtype=""
      displayHint="sf=8" verbLevel="5"
      description="End of the exposure (MJD, UTC); NULL when the log does not tell."/>
    <column original="//obscore#ObsCore.t_exptime" type="double precision"
      description="Time between begin and end; NULL when the log does not tell."/>
    <column name="dit" type="double precision" unit="s" ucd="time.duration;obs.exposure"
      verbLevel="20" description="Integration time of one frame of the detector."/>
    <column name="ndit" type="integer" ucd="meta.number" verbLevel="20"
      description="Number of frames of the detector.">
      <values nullLiteral="-1"/>
    </column>
    <column name="night" type="date" ucd="time.epoch;obs" verbLevel="5"
      description="Local night at the array, by the date of its evening; nights change at local
        mean noon."/>

    <!-- spectrum -->
    <column original="//obscore#ObsCore.em_min" type="double precision" verbLevel="10"
      description="Lower edge of the band of the mode (vacuum)."/>
    <column original="//obscore#ObsCore.em_max" type="double precision" verbLevel="10"
      description="Upper edge of the band of the mode (vacuum)."/>
    <column original="//obscore#ObsCore.em_res_power" type="double precision" verbLevel="10"
      description="Spectral resolution of the mode."/>

    <!-- array -->
    <column name="stations" type="text" ucd="meta.id;instr" verbLevel="1"
      description="Stations of the telescopes, separated by blanks."/>
    <column name="tel_number" type="integer" ucd="meta.number;instr.tel" verbLevel="10"
      description="Number of telescopes.">
      <values nullLiteral="-1"/>
    </column>
    <column name="pops" type="text" ucd="instr.setup" verbLevel="20"
      description="CHARA: pipes of Pan, one digit a station, in their order."/>
    <column name="channels" type="text" ucd="instr.setup" verbLevel="20"
      description="Input channels of the instrument, in the order of the stations."/>
    <column name="uv_distance_min" type="double precision" unit="m"
      ucd="stat.fourier;pos;stat.min" verbLevel="5" displayHint="sf=1"
      description="Shortest projected baseline."/>
    <column name="uv_distance_max" type="double precision" unit="m"
      ucd="stat.fourier;pos;stat.max" verbLevel="5" displayHint="sf=1"
      description="Longest projected baseline."/>
    <column name="projected_baselines" type="text" ucd="instr.baseline" verbLevel="25"
      description="Projected baselines of all pairs of stations at begin and end, length in
        metres and position angle in degrees, in the form that ASPRO2 reads; obsportal.baseline
        has them as numbers."/>
    <column original="//obscore#ObsCore.s_resolution" type="double precision"
      description="Angular resolution: shortest wavelength over twice the longest projected
        baseline."/>
    <column original="//obscore#ObsCore.s_fov" type="double precision"
      description="Diameter of the field of view: longest wavelength over telescope diameter."/>
    <column original="//obscore#ObsCore.s_region" description="The field of view as a polygon."/>

    <!-- programme -->
    <FEED source="programme"/>
    <FEED source="observation-block"/>
    <LOOP listItems="prog_title datapi">
      <events><column original="stored_header.\item"/></events>
    </LOOP>
    <column name="template_id" type="text" ucd="meta.id" verbLevel="15"
      description="Template that made the exposure."/>
    <column name="template_start" type="timestamp" ucd="time.start" verbLevel="20"
      description="Begin of the template (UTC)."/>
    <column name="template_number" type="integer" ucd="meta.number" verbLevel="20"
      description="Number of the exposure in the template, from 1.">
      <values nullLiteral="-1"/>
    </column>
    <column name="template_total" type="integer" ucd="meta.number" verbLevel="20"
      description="Exposures that the template makes.">
      <values nullLiteral="-1"/>
    </column>

    <!-- weather -->
    <column name="seeing" type="double precision" unit="arcsec" ucd="instr.obsty.seeing"
      verbLevel="5" description="Seeing: mean of begin and end, or the one that is known."/>
    <column name="tau0" type="double precision" unit="s" ucd="time.processing" verbLevel="5"
      description="Coherence time of the atmosphere: mean of begin and end, or the one that is
        known."/>
    <LOOP>
      <csvItems>
        name,          unit,   ucd,                words
        seeing_start,  arcsec, instr.obsty.seeing, Seeing at the begin
        seeing_end,    arcsec, instr.obsty.seeing, Seeing at the end
        tau0_start,    s,      time.processing,    Coherence time of the atmosphere at the begin
        tau0_end,      s,      time.processing,    Coherence time of the atmosphere at the end
        pwv_start,     mm,     obs.atmos.water,    Precipitable water at the begin
        pwv_end,       mm,     obs.atmos.water,    Precipitable water at the end
        airmass_start,,        obs.airMass,        Airmass at the begin
        airmass_end,,          obs.airMass,        Airmass at the end
      </csvItems>
      <events>
        <column name="\name" type="double precision" unit="\unit" ucd="\ucd" verbLevel="20"
          description="\words of the exposure."/>
      </events>
    </LOOP>
    <column name="temperature" type="double precision" unit="Celsius" ucd="phys.temperature"
      verbLevel="10" description="Temperature of the air."/>
    <column name="humidity" type="double precision" unit="%" ucd="obs.atmos.humidity"
      verbLevel="15" description="Relative humidity of the air."/>
    <column name="pressure" type="double precision" unit="hPa" ucd="phys.pressure"
      verbLevel="20" description="Pressure of the air."/>
    <column name="wind_speed" type="double precision" unit="m/s" ucd="obs.atmos.wind;phys.veloc"
      verbLevel="15" description="Speed of the wind."/>
    <column name="wind_direction" type="double precision" unit="deg" ucd="obs.atmos.wind;pos.az"
      verbLevel="20" description="Where the wind came from, north through east."/>
    <column name="ft_sensor" type="text" ucd="instr.setup" verbLevel="15"
      description="Fringe tracker that was used."/>
    <column name="ft_status" type="text" ucd="meta.code.status" verbLevel="15"
      description="State of the fringe tracker."/>

    <!-- quality -->
    <column name="ob_grade" type="text" ucd="meta.code.qual" verbLevel="10"
      description="Grade of the observation block as its facility gave it; NULL when not known."/>
    <column name="validation_level" type="integer" required="True" ucd="meta.code.qual"
      verbLevel="5" description="1 when the log has all that makes the exposure usable, else 0."/>
    <column name="validation_log" type="unicode" required="True" ucd="meta.note" verbLevel="15"
      description="What the log lacks, as a JSON list of sentences."/>
    <column name="quality_flags" type="text" required="True" ucd="meta.code.qual" verbLevel="10"
      note="flags" description="What is wrong or doubtful in the log, as words separated by blanks;
        empty when nothing is known."/>
    <column name="on_sky" type="smallint" required="True" ucd="meta.code" verbLevel="15"
      description="1 for an exposure of the sky, 0 for frames of the laboratory and the like."/>

    <!-- curation -->
    <column original="stored_header.obs_release_date"/>
    <column name="updated" type="timestamp" required="True" ucd="time.processing" verbLevel="20"
      description="Last change of the exposure here (UTC)."/>
    <LOOP>
      <codeItems>
        from ingest import chara, exposures
        yield {"words": "\n\n".join("*%s*: %s" % item
          for item in sorted({**exposures.QUALITY_FLAGS, **chara.FLAGS}.items()))}
      </codeItems>
      <events><meta name="note" tag="flags" format="rst">\words</meta></events>
    </LOOP>
  </table>

  <table id="baseline" onDisk="True" adql="True">
    <meta name="description">Projected baselines of the exposures: one row for each exposure and
      pair of stations, at the begin and at the end.</meta>
    <foreignKey inTable="exposure" source="exposure_id" metaOnly="True"/>
    <index columns="exposure_id"/>
    <index columns="length_start"/>
    <FEED source="exposure-key"/>
    <column name="station1" type="text" required="True" ucd="meta.id;instr" verbLevel="1"
      description="First station of the pair."/>
    <column name="station2" type="text" required="True" ucd="meta.id;instr" verbLevel="1"
      description="Second station of the pair."/>
    <LOOP>
      <csvItems>
        name,         unit, ucd,              words
        length_start, m,    instr.baseline,   Length of the projected baseline at the begin
        length_end,   m,    instr.baseline,   Length of the projected baseline at the end
        angle_start,  deg,  pos.posAng,       Position angle (north through east) at the begin
        angle_end,    deg,  pos.posAng,       Position angle (north through east) at the end
        u_start,      m,    stat.fourier;pos, East component at the begin
        u_end,        m,    stat.fourier;pos, East component at the end
        v_start,      m,    stat.fourier;pos, North component at the begin
        v_end,        m,    stat.fourier;pos, North component at the end
      </csvItems>
      <events>
        <column name="\name" type="double precision" unit="\unit" ucd="\ucd" verbLevel="1"
          description="\words."/>
      </events>
    </LOOP>
  </table>

  <table id="quality" onDisk="True" adql="True">
    <meta name="description">Grades and other judgements of observation blocks, as facilities gave
      them.</meta>
    <index columns="ob_id"/>
    <column original="//obscore#ObsCore.facility_name" required="True"/>
    <column original="exposure.ob_id" required="True"/>
    <column name="grade" type="text" required="True" ucd="meta.code.qual" verbLevel="1"
      description="The grade or flag."/>
    <column name="graded" type="date" ucd="time.processing" verbLevel="5"
      description="When it was given."/>
    <column name="comment" type="unicode" ucd="meta.note" verbLevel="5"
      description="What was said about it."/>
    <column name="source" type="unicode" ucd="meta.ref" verbLevel="5"
      description="Who said so."/>
  </table>

  <table id="sync" onDisk="True" adql="False" primary="sync_id">
    <meta name="description">Runs of the synchronisation with archives, and of the ingestion of
      logs.</meta>
    <column name="sync_id" type="text" required="True" description="When the run began, with its
      process number."/>
    <column name="archive" type="text" required="True" description="Address of the archive, or
      what was ingested."/>
    <column name="started" type="timestamp" required="True" description="Begin (UTC)."/>
    <column name="finished" type="timestamp" description="End (UTC); NULL while running or when
      the run died."/>
    <column name="mark" type="timestamp" description="All changes of the archive up to this time
      (UTC) are in."/>
    <column name="listed" type="integer" required="True" description="Files that the archive listed
      as new or changed."/>
    <column name="fetched" type="integer" required="True" description="Headers obtained."/>
    <column name="exposures" type="integer" required="True" description="Exposures stored."/>
    <column name="failed" type="integer" required="True" description="Headers that could not be
      obtained or read."/>
    <column name="withdrawn" type="integer" required="True" description="Files that the archive has
      no more."/>
    <column name="message" type="unicode" description="Why the run ended early; NULL when it did
      not."/>
  </table>

  <!-- ============================= what ADQL sees of it ============================== -->

  <table id="header" onDisk="True" adql="True" primary="header_id">
    <meta name="description">Raw files as the archive lists them, with the address of the header
      as text.</meta>
    <LOOP listItems="header_id archive instrument dp_cat dp_type dp_tech progid prog_title datapi mjd_obs obs_release_date access_url last_mod_date state problem listed fetched withdrawn">
      <events><column original="stored_header.\item"/></events>
    </LOOP>
    <column name="header_url" type="text" ucd="meta.ref.url" verbLevel="1"
      description="Address of the header as text; NULL when there is none."/>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT header_id, archive, instrument, dp_cat, dp_type, dp_tech, progid, prog_title,
          datapi, mjd_obs, obs_release_date, access_url, last_mod_date, state, problem, listed,
          fetched, withdrawn,
          CASE WHEN header IS NOT NULL
            THEN '\getConfig{web}{serverURL}/detail/header/' || header_id END
        FROM \schema.stored_header)
    </viewStatement>
  </table>

  <table id="observation" onDisk="True" adql="True" primary="observation_id">
    <meta name="description">Observations: exposures of one observation block with one target and
      set-up.</meta>
    <LOOP listItems="observation_id target_id facility_name instrument_name instrument_mode instrument_submode dataproduct_category progid ob_id ob_name ob_container_id">
      <events><column original="stored_observation.\item"/></events>
    </LOOP>
    <column original="target.target_name"/>
    <FEED source="position"/>
    <column original="exposure.t_min" description="Begin of the first exposure (MJD, UTC)."/>
    <column original="exposure.t_max" description="End of the last exposure (MJD, UTC)."/>
    <column name="n_exposures" type="integer" required="True" ucd="meta.number;obs.exposure"
      verbLevel="1" description="Number of exposures."/>
    <column original="exposure.uv_distance_min"/>
    <column original="exposure.uv_distance_max"/>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT o.observation_id, o.target_id, o.facility_name, o.instrument_name,
          o.instrument_mode, o.instrument_submode, o.dataproduct_category, o.progid, o.ob_id,
          o.ob_name, o.ob_container_id, t.target_name, t.s_ra, t.s_dec, e.t_min, e.t_max,
          e.n_exposures, e.uv_distance_min, e.uv_distance_max
        FROM \schema.stored_observation AS o
          LEFT JOIN \schema.target AS t ON t.target_id=o.target_id
          JOIN LATERAL (
            SELECT MIN(x.t_min) AS t_min, MAX(x.t_max) AS t_max, COUNT(*)::integer AS n_exposures,
              MIN(x.uv_distance_min) AS uv_distance_min, MAX(x.uv_distance_max) AS uv_distance_max
            FROM \schema.exposure AS x WHERE x.observation_id=o.observation_id) AS e
            ON e.n_exposures > 0)
    </viewStatement>
  </table>

  <table id="dataset" onDisk="True" adql="False">
    <meta name="description">The part of the exposures that is in ivoa.obscore: what saw the
      sky.</meta>
    <LOOP listItems="target_name s_ra s_dec exposure_id obs_publisher_did dataproduct_category t_min t_max t_exptime night em_min em_max em_res_power facility_name instrument_name instrument_mode s_resolution s_fov s_region obs_release_date">
      <events><column original="exposure.\item"/></events>
    </LOOP>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT target_name, s_ra, s_dec, exposure_id, obs_publisher_did, dataproduct_category,
          t_min, t_max, t_exptime, night, em_min, em_max, em_res_power, facility_name,
          instrument_name, instrument_mode, s_resolution, s_fov, s_region, obs_release_date
        FROM \schema.exposure WHERE on_sky=1)
    </viewStatement>
    <mixin
      obs_title="COALESCE(target_name || ', ', '') || instrument_name || COALESCE(', ' || night, '')"
      dataproduct_type="'visibility'"
      dataproduct_subtype="dataproduct_category"
      calib_level="0"
      obs_collection="'ObsPortal'"
      obs_id="exposure_id"
      obs_publisher_did="obs_publisher_did"
      access_url="'\getConfig{web}{serverURL}/obsportal/q/dl/dlmeta?ID=' || gavo_urlescape(obs_publisher_did)"
      access_format="'application/x-votable+xml;content=datalink'"
      access_estsize="10"
      target_name="target_name"
      s_ra="s_ra" s_dec="s_dec" s_fov="s_fov" s_region="s_region" s_resolution="s_resolution"
      t_min="t_min" t_max="t_max" t_exptime="t_exptime" t_resolution="NULL" t_xel="NULL"
      em_min="em_min" em_max="em_max" em_res_power="em_res_power" em_xel="NULL"
      em_ucd="'em.wl'"
      o_ucd="NULL" pol_states="NULL" pol_xel="NULL"
      facility_name="facility_name"
      instrument_name="instrument_name"
      preview="NULL"
      obs_release_date="obs_release_date"
      data_rights="CASE WHEN obs_release_date > (now() AT TIME ZONE 'UTC') THEN 'proprietary' ELSE 'public' END"
      >//obscore#publish</mixin>
  </table>

  <!-- =================================== ingestion ==================================== -->

  <!-- res/store.py fills these, by COPY and with the columns named here. -->
  <data id="create" updating="True">
    <LOOP listItems="stored_header target target_alias target_neighbour target_change stored_observation exposure baseline quality sync">
      <events><make table="\item"/></events>
    </LOOP>
  </data>

  <data id="views">
    <make table="header"/>
    <make table="observation"/>
    <make table="dataset"/>
  </data>

  <!-- The registry's record of the data set as a whole; `dachs limits` fills in the coverage. -->
  <coverage>
    <updater sourceTable="exposure"/>
  </coverage>
  <data id="tables" auto="False">
    <publish sets="ivo_managed"/>
    <LOOP listItems="exposure dataset baseline observation target target_alias target_neighbour target_change header quality">
      <events><make table="\item"/></events>
    </LOOP>
  </data>

  <!-- ==================================== services ==================================== -->

  <service id="dl" allowed="dlmeta">
    <meta name="title">ObsPortal Datalink</meta>
    <meta name="description">For an exposure: the raw file in the archive, its header, pages on it,
      the granules of OiDB that were made of it, and other exposures of its file.</meta>
    <FEED source="resources/links#core" data_sets="obsportal"/>
  </service>

  <service id="cone" allowed="scs.xml,form">
    <meta name="title">Exposures of VLTI and CHARA by position</meta>
    <meta name="shortName">ObsPortal cone</meta>
    <meta name="description">The observation log of the optical interferometers VLTI and CHARA around a
      position on the sky: one row for each exposure.</meta>
    <meta>
      testQuery.ra: 110.5
      testQuery.dec: -25.2
      testQuery.sr: 0.01
    </meta>
    <publish render="scs.xml" sets="ivo_managed"/>
    <publish render="form" sets="ivo_managed,local"/>
    <scsCore queriedTable="exposure">
      <FEED source="//scs#coreDescs"/>
      <LOOP listItems="target_name instrument_name instrument_mode progid">
        <events><condDesc buildFrom="\item"/></events>
      </LOOP>
      <condDesc buildFrom="night"/>
    </scsCore>
    <!-- What the form shows; VOTables have all columns, by their verbosity. -->
    <outputTable>
      <outputField original="//scs#distCol"/>
      <outputField original="target_name"/>
      <outputField original="exposure_id">
        <formatter>
          return T.a(href=base.makeSitePath(
            "/detail/exposure/"+urllib.parse.quote(data, safe=":")))[data]
        </formatter>
      </outputField>
      <LOOP listItems="night instrument_name instrument_mode stations dataproduct_category progid uv_distance_max seeing">
        <events><outputField original="\item"/></events>
      </LOOP>
    </outputTable>
  </service>

  <service id="targets" allowed="scs.xml,form">
    <meta name="title">Targets of VLTI and CHARA by position</meta>
    <meta name="shortName">JMMC targets</meta>
    <meta name="description">Targets that the optical interferometers VLTI and CHARA have observed,
      around a position on the sky, with the number of exposures.</meta>
    <meta>
      testQuery.ra: 110.5
      testQuery.dec: -25.2
      testQuery.sr: 0.01
    </meta>
    <publish render="scs.xml" sets="ivo_managed"/>
    <publish render="form" sets="ivo_managed,local"/>
    <scsCore queriedTable="target">
      <FEED source="//scs#coreDescs"/>
    </scsCore>
  </service>

  <!-- ================================ regression tests ================================ -->

  <regSuite title="ObsPortal">
    <regTest title="A cone search is an SCS answer">
      <url RA="110.5" DEC="-25.2" SR="0.1" VERB="1">cone/scs.xml</url>
      <code>
        self.assertHTTPStatus(200)
        self.assertXpath("//v:FIELD[@ucd='ID_MAIN']", {"name": "exposure_id"})
        self.assertXpath("//v:INFO[@name='QUERY_STATUS']", {"value": "OK"})
      </code>
    </regTest>
    <regTest title="So is one for targets">
      <url RA="110.5" DEC="-25.2" SR="0.1" VERB="1">targets/scs.xml</url>
      <code>
        self.assertHTTPStatus(200)
        self.assertXpath("//v:FIELD[@ucd='ID_MAIN']", {"name": "target_id"})
        self.assertXpath("//v:INFO[@name='QUERY_STATUS']", {"value": "OK"})
      </code>
    </regTest>
    <regTest title="Exposures of the sky are in ObsCore with level 0">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n FROM obsportal.exposure AS e
          LEFT JOIN ivoa.obscore AS o ON e.obs_publisher_did=o.obs_publisher_did
          WHERE e.on_sky=1 AND (o.calib_level IS NULL OR o.calib_level!=0)"
        >/tap/sync</url>
      <code>self.assertEqual(self.getFirstVOTableRow()["n"], 0)</code>
    </regTest>
    <regTest title="Exposures of a target have its position, to the bit">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n FROM obsportal.exposure AS e
          JOIN obsportal.target AS t USING (target_id)
          WHERE e.s_ra!=t.s_ra OR e.s_dec!=t.s_dec OR t.merged_into IS NOT NULL"
        >/tap/sync</url>
      <code>self.assertEqual(self.getFirstVOTableRow()["n"], 0)</code>
    </regTest>
    <LOOP listItems="stored_header stored_observation sync">
      <events>
        <regTest title="ADQL does not see obsportal.\item">
          <url parSet="TAP" QUERY="SELECT TOP 1 * FROM obsportal.\item">/tap/sync</url>
          <code>self.assertHasStrings('value="ERROR"', "\item")</code>
        </regTest>
      </events>
    </LOOP>
  </regSuite>
</resource>
