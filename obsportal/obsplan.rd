<resource schema="ivoa" resdir=".">
  <!-- ivoa.obsplan, the table of ObsLocTAP 1.0 (IVOA recommendation of 2021-07-24): what
    observatories plan and have done. Ours says what was done: the exposures of ObsPortal that saw
    the sky. -->
  <meta name="title">Observation log of VLTI and CHARA as ObsLocTAP</meta>
  <meta name="shortName">JMMC ObsLocTAP</meta>
  <meta name="creationDate">2026-11-24T12:00:00Z</meta>
  <meta name="description">The exposures that the optical interferometers VLTI and CHARA have made,
    in the table ivoa.obsplan of the Observation Locator standard (ObsLocTAP 1.0), with stations,
    mode and programme in extra columns. All are performed observations.</meta>
  <meta name="subject">optical-interferometry</meta>
  <meta name="subject">long-baseline-interferometry</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>
  <meta name="facility">VLTI</meta>
  <meta name="facility">CHARA</meta>
  <meta name="coverage.waveband">Optical</meta>
  <meta name="coverage.waveband">Infrared</meta>
  <coverage fallbackTo="obsportal/q"/>

  <table id="obsplan" onDisk="True" adql="True">
    <meta name="title">Observation log of VLTI and CHARA as ObsLocTAP</meta>
    <meta name="description">Performed observations of VLTI and CHARA in the columns of ObsLocTAP
      1.0: one row for each exposure.</meta>
    <meta name="utype">ivo://ivoa.net/std/obsloctap#table-1.0</meta>
    <publish sets="ivo_managed,local"/>
    <index columns="s_ra, s_dec" kind="pgsphere" metaOnly="True"/>
    <index columns="obs_id" metaOnly="True"/>
    <index columns="t_min" metaOnly="True"/>

    <column name="t_planning" type="double precision" unit="d" required="True" verbLevel="15"
      description="When the entry was last changed here (MJD, UTC)."/>
    <column name="target_name" type="text" utype="Target.name" ucd="meta.id;src" verbLevel="1"
      description="Name of the target as the log gives it."/>
    <column name="obs_id" type="text" required="True" utype="DataID.observationID" ucd="meta.id"
      verbLevel="1" description="Identifier of the exposure, as in obsportal.exposure."/>
    <column name="obs_collection" type="text" utype="DataID.collection" ucd="meta.id"
      verbLevel="15" description="Always ObsPortal."/>
    <column name="s_ra" type="double precision" unit="deg" ucd="pos.eq.ra" verbLevel="1"
      utype="Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C1"
      description="Right ascension of the target (ICRS, epoch J2000)."/>
    <column name="s_dec" type="double precision" unit="deg" ucd="pos.eq.dec" verbLevel="1"
      utype="Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C2"
      description="Declination of the target (ICRS, epoch J2000)."/>
    <column name="s_fov" type="double precision" unit="deg" ucd="phys.angSize;instr.fov"
      utype="Char.SpatialAxis.Coverage.Bounds.Extent.diameter" verbLevel="10"
      description="Diameter of the field of view: longest wavelength over telescope diameter."/>
    <column name="s_region" type="spoly" ucd="pos.outline;obs.field" verbLevel="20"
      utype="Char.SpatialAxis.Coverage.Support.Area"
      description="The field of view as a polygon; NULL where its diameter is not known."/>
    <column name="s_resolution" type="double precision" unit="arcsec" ucd="pos.angResolution"
      utype="Char.SpatialAxis.Resolution.Refval.value" verbLevel="10"
      description="Angular resolution: shortest wavelength over twice the longest projected
        baseline."/>
    <column name="t_min" type="double precision" unit="d" ucd="time.start;obs.exposure"
      utype="Char.TimeAxis.Coverage.Bounds.Limits.StartTime" verbLevel="1" required="True"
      description="Begin of the exposure (MJD, UTC)."/>
    <column name="t_max" type="double precision" unit="d" ucd="time.end;obs.exposure"
      utype="Char.TimeAxis.Coverage.Bounds.Limits.StopTime" verbLevel="1" required="True"
      description="End of the exposure (MJD, UTC)."/>
    <column name="t_exptime" type="double precision" unit="s" ucd="time.duration;obs.exposure"
      utype="Char.TimeAxis.Coverage.Support.Extent" verbLevel="5" required="True"
      description="Duration of the exposure."/>
    <column name="t_resolution" type="double precision" unit="s" ucd="time.resolution"
      utype="Char.TimeAxis.Resolution.Refval.value" verbLevel="20"
      description="Integration time of one frame of the detector."/>
    <column name="em_min" type="double precision" unit="m" ucd="em.wl;stat.min"
      utype="Char.SpectralAxis.Coverage.Bounds.Limits.LoLimit" verbLevel="10"
      description="Lower edge of the band of the mode (vacuum)."/>
    <column name="em_max" type="double precision" unit="m" ucd="em.wl;stat.max"
      utype="Char.SpectralAxis.Coverage.Bounds.Limits.HiLimit" verbLevel="10"
      description="Upper edge of the band of the mode (vacuum)."/>
    <column name="em_res_power" type="double precision" ucd="spect.resolution"
      utype="Char.SpectralAxis.Resolution.ResolPower.refVal" verbLevel="10"
      description="Spectral resolution of the mode."/>
    <column name="o_ucd" type="text" ucd="meta.ucd" utype="Char.ObservableAxis.ucd"
      verbLevel="20" description="UCD of what is observed: the Fourier transform of the sky."/>
    <column name="pol_states" type="text" ucd="meta.code;phys.polarization"
      utype="Char.PolarizationAxis.stateList" verbLevel="25"
      description="Polarisation states; not known from the logs."/>
    <column name="pol_xel" type="integer" ucd="meta.number" verbLevel="25"
      utype="Char.PolarizationAxis.numBins"
      description="Number of polarisation states; not known from the logs.">
      <values nullLiteral="-1"/>
    </column>
    <column name="facility_name" type="text" required="True" ucd="meta.id;instr.tel"
      utype="Provenance.ObsConfig.Facility.name" verbLevel="5"
      description="Interferometer, by its common name."/>
    <column name="instrument_name" type="text" ucd="meta.id;instr" verbLevel="1"
      utype="Provenance.ObsConfig.Instrument.name" description="Instrument, by its common name."/>
    <column name="t_plan_exptime" type="double precision" unit="s"
      ucd="time.duration;obs.exposure" utype="Char.TimeAxis.Coverage.Support.Extent"
      verbLevel="25" description="Planned duration; not known from the logs."/>
    <column name="category" type="text" required="True" verbLevel="15"
      description="Always Fixed: the time is what it was."/>
    <column name="priority" type="integer" required="True" verbLevel="15"
      description="Always 0: performed like any other."/>
    <column name="execution_status" type="text" required="True" verbLevel="5"
      description="Always Performed."/>
    <column name="tracking_type" type="text" required="True" verbLevel="15"
      description="Always Sidereal."/>
    <!-- what the standard does not have -->
    <LOOP listItems="instrument_mode stations dataproduct_category progid ob_id target_id uv_distance_max">
      <events><column original="obsportal/q#exposure.\item"/></events>
    </LOOP>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT 40587 + EXTRACT(EPOCH FROM updated)::double precision / 86400, target_name,
          exposure_id, 'ObsPortal'::text, s_ra, s_dec, s_fov,
          s_region, s_resolution, t_min, t_max, t_exptime, dit, em_min, em_max, em_res_power,
          'stat.fourier'::text, NULL::text, NULL::integer, facility_name, instrument_name,
          NULL::double precision, 'Fixed'::text, 0, 'Performed'::text, 'Sidereal'::text,
          instrument_mode, stations, dataproduct_category, progid, ob_id, target_id,
          uv_distance_max
        FROM obsportal.exposure
        WHERE on_sky=1 AND t_min IS NOT NULL AND t_max IS NOT NULL AND t_exptime IS NOT NULL)
    </viewStatement>
  </table>

  <data id="create">
    <make table="obsplan"/>
  </data>
</resource>
