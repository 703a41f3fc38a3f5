<resource schema="obsportal" resdir=".">
  <!-- The table that /search.votable answers with, which ASPRO2 and the former OiDB read: the
    exposures of q.rd under the names of that time. A view, nothing is stored twice. The answer's
    FIELDs are made of these columns (res/answer.py). Columns with verbLevel 1 are in each answer,
    the others only when all fields are wanted.

    A few UCDs and units of the former service are not legal: those that clients have always got
    stand in the properties formerUcd and formerUnit. -->
  <meta name="title">Answers of the former ObsPortal</meta>
  <meta name="creationDate">2026-11-24T12:00:00Z</meta>
  <meta name="description">The exposures of ObsPortal that saw the sky, in the columns that the
    former service answered with.</meta>
  <meta name="subject">optical-interferometry</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>

  <!-- Were it not open to ADQL at all, DaCHS would close the whole schema to it. -->
  <table id="search_answer" onDisk="True" adql="hidden">
    <meta name="description">Exposures that saw the sky and whose position and begin are known,
      valid or not.</meta>
    <column name="exp_id" type="text" required="True" ucd="meta.id" verbLevel="1"
      description="Identifier of the exposure."/>
    <column name="exp_header_id" type="text" required="True" ucd="meta.id" verbLevel="20"
      description="Name of the raw file in the archive."/>
    <column name="exp_mjd_start" type="double precision" unit="d" ucd="time.start;obs.exposure"
      verbLevel="1" description="Begin of the exposure (MJD, UTC)."/>
    <column name="exp_mjd_end" type="double precision" unit="d" ucd="time.end;obs.exposure"
      verbLevel="1" description="End of the exposure (MJD, UTC)."/>
    <column name="exp_projected_baselines" type="text" ucd="instr.baseline" verbLevel="1"
      description="Projected baselines of all pairs of stations at begin and end, length in
        metres and position angle in degrees."/>
    <column name="exp_validation_level" type="integer" required="True" ucd="meta.code.qual"
      verbLevel="20" description="1 when the log has all that makes the exposure usable, else 0."/>
    <column name="exp_validation_log" type="text" required="True" verbLevel="20"
      description="What the log lacks, as a JSON list of sentences."/>
    <column name="exp_tau0" type="double precision" unit="s" ucd="time.processing" verbLevel="1"
      description="Coherence time of the atmosphere."/>
    <column name="exp_temperature" type="double precision" unit="Celsius" ucd="phys.temperature"
      verbLevel="1" description="Temperature of the air.">
      <property name="formerUnit">deg</property>
    </column>
    <column name="exp_seeing" type="double precision" unit="arcsec" ucd="instr.obsty.seeing"
      verbLevel="1" description="Seeing.">
      <property name="formerUnit">as</property>
    </column>
    <column name="exp_date_updated" type="timestamp" required="True" ucd="time.processing"
      verbLevel="20" description="Last change of the exposure here (UTC)."/>
    <column name="exp_date_release" type="timestamp" ucd="time.release" verbLevel="20"
      description="When the raw file becomes public in the archive (UTC).">
      <property name="formerUcd">time.release;obs</property>
    </column>
    <column name="obs_id" type="integer" required="True" ucd="meta.id" verbLevel="20"
      description="Number of the observation that the exposure belongs to."/>
    <column name="obs_type" type="text" ucd="meta.code.class" verbLevel="1"
      description="science or calibrator; NULL when neither or not known.">
      <property name="formerUcd">meta.id;class</property>
    </column>
    <column name="obs_program" type="text" ucd="meta.id" verbLevel="1"
      description="Identifier of the observing programme."/>
    <column name="obs_program_title" type="text" ucd="meta.title" verbLevel="20"
      description="Title of the observing programme."/>
    <column name="obs_program_pi_coi" type="text" ucd="meta.curation;obs.observer"
      verbLevel="20" description="Principal and co-investigators."/>
    <column name="interferometer_name" type="text" ucd="meta.id" verbLevel="1"
      description="Interferometer, by its name in ASPRO2."/>
    <column name="interferometer_stations" type="text" verbLevel="1"
      description="Stations of the telescopes, separated by blanks."/>
    <column name="instrument_name" type="text" required="True" ucd="meta.id;instr" verbLevel="1"
      description="Instrument, by its name in ASPRO2."/>
    <column name="instrument_mode" type="text" ucd="meta.id;instr.setup" verbLevel="1"
      description="Mode of the instrument, by its name in ASPRO2."/>
    <column name="instrument_submode" type="text" ucd="meta.id;instr.setup" verbLevel="1"
      description="What else there is to tell of the mode."/>
    <column name="instrument_em_min" type="double precision" unit="m" ucd="em.wl;stat.min"
      verbLevel="20" description="Lower edge of the band of the mode."/>
    <column name="instrument_em_max" type="double precision" unit="m" ucd="em.wl;stat.max"
      verbLevel="20" description="Upper edge of the band of the mode."/>
    <column name="instrument_em_res_power" type="double precision" ucd="spect.resolution"
      verbLevel="20" description="Spectral resolution of the mode."/>
    <column name="target_id" type="integer" required="True" ucd="meta.id" verbLevel="20"
      description="Number of the target."/>
    <column name="target_name" type="text" ucd="meta.id;meta.main" verbLevel="1"
      description="Name of the target as the log gives it."/>
    <column name="target_ra" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"
      verbLevel="1" description="Right ascension (ICRS), the same for all exposures of a target."/>
    <column name="target_dec" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"
      verbLevel="1" description="Declination (ICRS), the same for all exposures of a target."/>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT exposure_id, header_id, t_min, t_max, projected_baselines, validation_level,
          validation_log, tau0, temperature, seeing, updated, obs_release_date, observation_id,
          CASE dataproduct_category WHEN 'SCIENCE' THEN 'science' WHEN 'CALIB' THEN 'calibrator'
            END,
          progid, prog_title, datapi, facility_name, stations, instrument_name, instrument_mode,
          instrument_submode, em_min, em_max, em_res_power, target_id, target_name, s_ra, s_dec
        FROM \schema.exposure
        WHERE on_sky=1 AND target_id IS NOT NULL AND t_min IS NOT NULL
          AND s_ra IS NOT NULL AND s_dec IS NOT NULL)
    </viewStatement>
  </table>

  <data id="create">
    <make table="search_answer"/>
  </data>
</resource>
