<resource schema="dc">
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
</resource>
