<resource schema="dc" resdir=".">
  <!-- Two optional columns of ObsCore (section B of the standard) that say what is public. -->
  <STREAM id="obscore-extracolumns">
    <column name="obs_release_date" type="timestamp" ucd="time.release"
      utype="obscore:Curation.releaseDate" tablehead="Released"
      description="When the data become public (UTC); NULL when they always were."
      verbLevel="15"/>
    <column name="data_rights" type="text" ucd="meta.code"
      utype="obscore:Curation.rights" tablehead="Rights"
      description="public, or proprietary until the release date." verbLevel="15"/>
  </STREAM>
  <STREAM id="obscore-extrapars">
    <mixinPar name="obs_release_date">NULL</mixinPar>
    <mixinPar name="data_rights">'public'</mixinPar>
  </STREAM>
  <STREAM id="obscore-extraevents">
    <property name="obscoreClause" cumulate="True">
      ,
      CAST(\\obs_release_date AS timestamp) AS obs_release_date,
      CAST(\\data_rights AS text) AS data_rights
    </property>
  </STREAM>

  <!-- What ivoa.obscore and ivoa.obs_radio have here, which their records do not say by themselves. -->
  <STREAM id="obscore-registration">
    <register/>
    <LOOP listItems="observational-astronomy interferometry optical-interferometry long-baseline-interferometry">
      <events><meta name="subject">\item</meta></events>
    </LOOP>
    <LOOP listItems="VLTI CHARA">
      <events><meta name="facility">\item</meta></events>
    </LOOP>
  </STREAM>
  <STREAM id="obs-radio-registration">
    <FEED source="obscore-registration"/>
  </STREAM>

  <!-- Who we are to the VO: the authority, the organisation behind it, the registry. -->
  <STREAM id="registry-interfacerecords">
    <resRec id="authority">
      <meta>
        resType: authority
        creationDate: \metaString{authority.creationDate}
        title: \\metaString{authority.title}
        shortName: \\metaString{authority.shortName}
        subject: virtual-observatories
        managingOrg: \\metaString{organization.title}
        managingOrg.ivo-id: \\metaString{authority.managingOrg}
        referenceURL: \\metaString{authority.referenceURL}
        identifier: ivo://\getConfig{ivoa}{authority}
        sets: ivo_managed
      </meta>
      <meta name="description">\\metaString{authority.description}</meta>
    </resRec>

    <resRec id="organization">
      <meta>
        resType: organization
        creationDate: \metaString{organization.creationDate}
        title: \\metaString{organization.title}
        shortName: \\metaString{organization.shortName}
        subject: interferometry
        subject: optical-interferometry
        referenceURL: \\metaString{organization.referenceURL}
        identifier: \\metaString{publisherID}
        sets: ivo_managed
      </meta>
      <meta name="description">\\metaString{organization.description}</meta>
    </resRec>

    <service id="registry" allowed="pubreg.xml">
      <registryCore/>
      <publish render="pubreg.xml" sets="ivo_managed">
        <meta name="accessURL"
          >\getConfig{web}{serverURL}\getConfig{web}{nevowRoot}oai.xml</meta>
      </publish>
      <meta name="resType">registry</meta>
      <meta name="title">Publishing registry of the \getConfig{web}{sitename}</meta>
      <meta name="creationDate">\metaString{authority.creationDate}</meta>
      <meta name="description">The VO resource records of the \getConfig{web}{sitename}, for
        harvesters: OAI-PMH 2.0.</meta>
      <meta name="subject">virtual-observatories</meta>
      <meta name="shortName">\\metaString{authority.shortName} RG</meta>
      <meta name="maxRecords">\getConfig{ivoa}{oaipmhPageSize}</meta>
      <meta name="managedAuthority">\getConfig{ivoa}{authority}</meta>
    </service>
  </STREAM>

  <!-- ADQL examples of the TAP service; tests/live runs each of them. -->
  <NXSTREAM id="tapdescription">
    <meta name="description">The TAP service of \\getConfig{web}{sitename}: all data sets of the
      JMMC in one place, to be queried and joined in ADQL. OiDB, the archive of
      optical-interferometry data, is in oidb.granule (one row for each target, set-up and night),
      oidb.baseline (points of the uv plane), oidb.file and oidb.collection, and in ivoa.obscore.
      ObsPortal, the logs of what VLTI and CHARA have observed, is in obsportal.exposure,
      obsportal.baseline, obsportal.observation and obsportal.target, and in ivoa.obsplan.
      JMDC, measured diameters of stars, is in jmdc.measurement, its releases in jmdc.released.
      BadCal, bad calibrators, is in badcal.star, what was reported of them in badcal.report.
      JSDC, computed diameters of stars, is in jsdc.star; jmmc.star has the stars of all data sets
      with what there is on each.
      Tables: \\tablesForTAP.</meta>
    <meta name="subject">interferometry</meta>
    <meta name="subject">optical-interferometry</meta>
    <meta name="subject">virtual-observatories</meta>
  </NXSTREAM>

  <STREAM id="tapexamples">
    <meta name="_example" title="What is there at a position">
      Granules within 10 arcmin of a position, in the columns of ObsCore that all archives share; :taptable:`ivoa.obscore`.

      .. tapquery::

        SELECT target_name, instrument_name, t_min, em_min, em_max, access_url
        FROM ivoa.obscore
        WHERE 1=CONTAINS(POINT('ICRS', s_ra, s_dec), CIRCLE('ICRS', 110.5, -25.2, 0.17))
          AND dataproduct_type='visibility'
        ORDER BY t_min
    </meta>
    <meta name="_example" title="Coverage of the uv plane">
      All points of the uv plane that PIONIER has on one target, with the mean squared visibility: plot u against v, and vis2 against length; :taptable:`oidb.baseline`.

      .. tapquery::

        SELECT b.station1, b.station2, b.mjd, b.u, b.v, b.length, b.vis2, b.vis2_err
        FROM oidb.granule AS g
        JOIN oidb.baseline AS b USING (granule_id)
        WHERE g.target_name='SIM UD 1' AND g.instrument_name='PIONIER'
        ORDER BY b.mjd
    </meta>
    <meta name="_example" title="Targets seen by several instruments">
      Across all collections: targets that more than one instrument has observed, with how often and how long a baseline; :taptable:`oidb.granule`.

      .. tapquery::

        SELECT target_name, COUNT(DISTINCT instrument_name) AS instruments,
          COUNT(DISTINCT obs_collection) AS collections, COUNT(*) AS granules,
          MAX(uv_distance_max) AS longest_baseline
        FROM oidb.granule
        GROUP BY target_name
        HAVING COUNT(DISTINCT instrument_name) > 1
        ORDER BY instruments DESC
    </meta>
    <meta name="_example" title="Well resolved targets">
      Granules in which some baseline sees a squared visibility below 0.2, those with most such points first; :taptable:`oidb.baseline`.

      .. tapquery::

        SELECT g.target_name, g.instrument_name, g.night, COUNT(*) AS points,
          MIN(b.vis2) AS lowest
        FROM oidb.baseline AS b JOIN oidb.granule AS g USING (granule_id)
        WHERE b.vis2 &lt; 0.2
        GROUP BY g.target_name, g.instrument_name, g.night
        ORDER BY points DESC
    </meta>
    <meta name="_example" title="Calibrators of a night">
      Calibrators observed in the same night with the same instrument as a target; :taptable:`oidb.granule`.

      .. tapquery::

        SELECT s.target_name, s.night, s.instrument_name,
          c.target_name AS calibrator, c.access_url
        FROM oidb.granule AS s
        JOIN oidb.granule AS c ON c.night=s.night AND c.instrument_name=s.instrument_name
        WHERE s.target_name='SIM UD 1' AND s.dataproduct_category='SCIENCE'
          AND c.dataproduct_category='CALIB'
    </meta>
    <meta name="_example" title="Good angular resolution in K">
      Granules in the K band with a resolution below 1 mas, from the common extension of ObsCore for visibilities; :taptable:`ivoa.obs_radio`.

      .. tapquery::

        SELECT target_name, instrument_name, s_resolution_min, uv_distance_max,
          uv_distribution_ecc, uv_distribution_fill, instrument_ant_number
        FROM ivoa.obscore NATURAL JOIN ivoa.obs_radio
        WHERE em_min &lt; 2.2e-6 AND em_max > 2.2e-6 AND s_resolution_min &lt; 0.003
        ORDER BY s_resolution_min
    </meta>
    <meta name="_example" title="Where is the archive full">
      Hours on target by facility, instrument and year.

      .. tapquery::

        SELECT facility_name, instrument_name, FLOOR((t_min-51544.5)/365.25)+2000 AS obs_year,
          COUNT(*) AS granules, SUM(t_exptime)/3600. AS hours
        FROM oidb.granule
        WHERE t_min IS NOT NULL
        GROUP BY facility_name, instrument_name, FLOOR((t_min-51544.5)/365.25)+2000
        ORDER BY obs_year
    </meta>
    <meta name="_example" title="From a granule to the raw files">
      Names of the raw files, in the archive of the observatory, that granules of a programme were made of; :taptable:`oidb.progenitor`.

      .. tapquery::

        SELECT g.target_name, g.night, p.dp_id, p.category
        FROM oidb.granule AS g JOIN oidb.progenitor AS p USING (file_id)
        WHERE g.progid='999.S-0001(A)'
        ORDER BY p.dp_id
    </meta>
    <meta name="_example" title="Which files are largest">
      Public files with their checksums and collections, largest first; :taptable:`oidb.file`.

      .. tapquery::

        SELECT TOP 20 f.file_name, f.file_size, f.oifits_version, f.sha256, c.title, f.access_url
        FROM oidb.file AS f JOIN oidb.collection AS c USING (obs_collection)
        WHERE f.data_rights='public'
        ORDER BY f.file_size DESC
    </meta>
    <meta name="_example" title="What has been observed on a star">
      Exposures of VLTI and CHARA of one target, whatever they called it; :taptable:`obsportal.exposure`.

      .. tapquery::

        SELECT e.t_min, e.instrument_name, e.instrument_mode, e.stations, e.progid, e.seeing,
          e.exposure_id
        FROM obsportal.target_alias AS a JOIN obsportal.exposure AS e USING (target_id)
        WHERE a.alias='SIM UD 1'
        ORDER BY e.t_min
    </meta>
    <meta name="_example" title="Observed but not in OiDB">
      Targets that an instrument has observed, of which OiDB has none of its reduced data within 5 arcsec; :taptable:`obsportal.target`.

      .. tapquery::

        SELECT TOP 100 t.target_name, t.s_ra, t.s_dec, COUNT(*) AS exposures, MIN(e.t_min) AS since
        FROM obsportal.exposure AS e JOIN obsportal.target AS t USING (target_id)
        WHERE e.instrument_name='GRAVITY' AND e.dataproduct_category='SCIENCE'
          AND NOT EXISTS (SELECT 1 FROM oidb.granule AS g
            WHERE g.instrument_name='GRAVITY'
              AND DISTANCE(t.s_ra, t.s_dec, g.s_ra, g.s_dec) &lt; 5/3600.)
        GROUP BY t.target_name, t.s_ra, t.s_dec
        ORDER BY exposures DESC
    </meta>
    <meta name="_example" title="From the log to reduced data">
      Exposures with the OiDB granules that were made of them; :taptable:`oidb.progenitor`.

      .. tapquery::

        SELECT TOP 100 e.exposure_id, e.target_name, e.night, g.target_name AS granule_target,
          g.instrument_name, g.access_url
        FROM obsportal.exposure AS e
        JOIN oidb.progenitor AS p ON p.dp_id=e.header_id
        JOIN oidb.granule AS g USING (file_id)
    </meta>
    <meta name="_example" title="Measured diameters of a star">
      All measurements of a star by wavelength, with the values to be used and what is wrong with the published ones; :taptable:`jmdc.measurement`.

      .. tapquery::

        SELECT m.wavelength_min, m.band, m.corrected_ud_diam, m.corrected_ld_diam,
          m.corrected_e_ld_diam, m.bibcode, m.quality_flags, m.correction
        FROM jmdc.star_alias AS a JOIN jmdc.measurement AS m USING (star_id)
        WHERE a.alias='SIM UD 1'
        ORDER BY m.wavelength_min
    </meta>
    <meta name="_example" title="What a release of JMDC has changed">
      Measurements that were added, changed or removed, from one release to the next; :taptable:`jmdc.change`.

      .. tapquery::

        SELECT c.kind, c.id1, c.bibcode, c.changed_columns, o.ud_diam AS old_ud, n.ud_diam AS new_ud
        FROM jmdc.change AS c
        LEFT JOIN jmdc.history AS o
          ON o.measurement_id=c.measurement_id AND o.version=c.old_version
        LEFT JOIN jmdc.history AS n
          ON n.measurement_id=c.measurement_id AND n.version=c.new_version
        WHERE c.release='2025-02-20'
    </meta>
    <meta name="_example" title="Measured and computed diameters">
      Limb-darkened diameters that were measured beside those that JSDC computes from colours, for stars within 2 arcsec of each other; :taptable:`jmdc.measurement`.

      .. tapquery::

        SELECT TOP 100 m.star_name, m.corrected_ld_diam, m.corrected_e_ld_diam, j.ldd, j.e_ldd,
          m.bibcode, m.quality_flags
        FROM jmdc.measurement AS m
        JOIN jsdc.star AS j ON DISTANCE(m.s_ra, m.s_dec, j.ra, j.dec) &lt; 2/3600.
        WHERE m.corrected_ld_diam IS NOT NULL
        ORDER BY m.star_name
    </meta>
    <meta name="_example" title="Good calibrators near a target">
      Calibrators within 2.5 degrees of a target that JSDC predicts to be small and to be good, that nobody has reported as bad, and that VLTI has observed already, with how often JMDC has a measured diameter of them; :taptable:`jmmc.star`.

      .. tapquery::

        SELECT s.star_name, s.s_ra, s.s_dec, j.ldd, j.e_ldd, j.kmag, s.n_measurements,
          s.n_vlti_exposures
        FROM jmmc.star AS s JOIN jsdc.star AS j ON s.jsdc_id=j.star_id
        WHERE 1=CONTAINS(POINT('ICRS', s.s_ra, s.s_dec), CIRCLE('ICRS', 110.5, -25.2, 2.5))
          AND j.ldd &lt; 0.5 AND j.cal_flag=0
          AND s.badcal_id IS NULL
          AND s.n_vlti_exposures > 0
        ORDER BY j.kmag
    </meta>
    <meta name="_example" title="Bad calibrators around a target">
      Stars within 3 degrees of a position that must not be used as calibrators, with what was reported of them; :taptable:`badcal.report`.

      .. tapquery::

        SELECT s.badcal_id, s.name, s.s_ra, s.s_dec, r.reason_class, r.obs_date, r.instrument,
          r.comment
        FROM badcal.star AS s JOIN badcal.report AS r ON r.badcal_id=s.badcal_id
        WHERE s.state='accepted' AND r.state='accepted'
          AND 1=CONTAINS(POINT('ICRS', s.s_ra, s.s_dec), CIRCLE('ICRS', 98.7, -30.1, 3))
        ORDER BY s.badcal_id
    </meta>
    <meta name="_example" title="Calibrators observed and not known as bad">
      Calibrators of OiDB of which BadCal has nothing that is accepted, or still open, within 5 arcsec; :taptable:`badcal.star`.

      .. tapquery::

        SELECT g.target_name, g.s_ra, g.s_dec, COUNT(*) AS granules, MAX(g.night) AS last_night
        FROM oidb.granule AS g
        WHERE g.dataproduct_category='CALIB'
          AND NOT EXISTS (SELECT 1 FROM badcal.star AS s
            WHERE s.state IN ('accepted', 'submitted', 'candidate')
              AND DISTANCE(s.s_ra, s.s_dec, g.s_ra, g.s_dec) &lt; 5/3600.)
        GROUP BY g.target_name, g.s_ra, g.s_dec
        ORDER BY granules DESC
    </meta>
    <meta name="_example" title="Scripts for the former service">
      The table name and columns of the former OiDB service still work.

      .. tapquery::

        SELECT TOP 100 id, target_name, s_ra, s_dec, t_min, instrument_name, access_url
        FROM oidb
        WHERE calib_level > 0 AND nb_channels > 5
        ORDER BY t_min
    </meta>
  </STREAM>
</resource>
