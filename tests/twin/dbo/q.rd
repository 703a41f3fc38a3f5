<resource schema="dbo" resdir=".">
  <!-- What of ESO's archive a synchronisation sees: table dbo.raw on TAP, with the columns it has
    there, and the header page. Rows and pages are put in by tests. -->
  <meta name="title">Twin of ESO's archive</meta>
  <meta name="creationDate">2026-11-24T12:00:00Z</meta>
  <meta name="description">A stand-in for ESO's archive, for tests.</meta>
  <meta name="subject">virtual-observatories</meta>

  <table id="raw" onDisk="True" adql="True" primary="dp_id">
    <meta name="description">Raw files.</meta>
    <LOOP listItems="access_url datalink_url date_obs det_chip1id dp_cat dp_id dp_tech dp_type filter_path
      grat_path gris_path ins_mode instrument obs_mode origfile prog_id s_region
      slit_path telescope tpl_id tpl_start">
      <events><column name="\item" type="text"/></events>
    </LOOP>
    <LOOP listItems="ob_name object pi_coi prog_title target tpl_name">
      <events><column name="\item" type="unicode"/></events>
    </LOOP>
    <LOOP listItems="access_estsize det_chop_ncycles det_expid det_ndit ob_id period prog_type tpl_expno
      tpl_nexp tpl_seqno">
      <events><column name="\item" type="bigint"><values nullLiteral="-1"/></column></events>
    </LOOP>
    <LOOP listItems="dec dec_pnt det_dit ecl_lat ecl_lon exposure gal_lat gal_lon lambda_max lambda_min
      mjd_obs ra ra_pnt tel_airm_end tel_airm_start tel_alt tel_ambi_fwhm_end
      tel_ambi_fwhm_start tel_ambi_pres_end tel_ambi_pres_start tel_ambi_rhum tel_az">
      <events><column name="\item" type="double precision"/></events>
    </LOOP>
    <LOOP listItems="exp_start last_mod_date release_date">
      <events><column name="\item" type="timestamp"/></events>
    </LOOP>
  </table>

  <table id="page" onDisk="True" primary="dp_id">
    <meta name="description">Headers as they stand on their pages.</meta>
    <column name="dp_id" type="text" required="True"/>
    <column name="header" type="text" required="True"/>
  </table>

  <data id="import" updating="True">
    <make table="raw"/>
    <make table="page"/>
  </data>
  <service id="hdr" allowed="api">
    <meta name="title">Headers</meta>
    <pythonCore>
      <inputTable>
        <inputKey name="DpId" type="text" required="True"/>
      </inputTable>
      <coreProc>
        <code>
          from html import escape

          name = inputTable.getParam("DpId")
          with base.getTableConn() as connection:
            found = list(connection.query(
              "SELECT header FROM dbo.page WHERE dp_id=%(name)s", locals()))
          text = found[0][0] if found else "No info found for %s"%name
          return "text/html;charset=utf-8", (
            "&lt;html>&lt;head>&lt;title>%s&lt;/title>&lt;/head>&lt;body>&lt;pre>\n%s\n&lt;/pre>&lt;/body>&lt;/html>"%(
            escape(name), escape(text, quote=False))).encode("utf-8")
        </code>
      </coreProc>
    </pythonCore>
  </service>
</resource>
