<resource schema="users" resdir=".">
  <!-- What this centre knows of its users beside the names, passwords and groups that DaCHS keeps.
    No service shows it. -->
  <meta name="title">Users of the JMMC data centre</meta>
  <meta name="creationDate">2026-11-26T12:00:00Z</meta>
  <meta name="description">Profiles of those who hand in data, and of those who look after
    them.</meta>
  <meta name="subject">optical-interferometry</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>

  <table id="profile" onDisk="True" adql="False" primary="username">
    <meta name="description">Who the users are, what of it may be shown, and until when they may log
      in.</meta>
    <column name="username" type="text" required="True" ucd="meta.id"
      description="Name to log in with, as in dc.users."/>
    <column name="full_name" type="unicode" ucd="meta.title"
      description="The user's own name; NULL when it was not told."/>
    <column name="affiliation" type="unicode" ucd="meta.note"
      description="Where the user works; NULL when it was not told."/>
    <column name="shown" type="boolean" required="True" ucd="meta.code"
      description="Whether the user has agreed that name and affiliation are shown with what he or
        she hands in."/>
    <column name="expires" type="timestamp" ucd="time.end"
      description="End of the account (UTC); NULL for one that has none."/>
    <column name="created" type="timestamp" required="True" ucd="time.creation"
      description="When the account was made (UTC)."/>
  </table>

  <data id="import" updating="True">
    <make table="profile"/>
  </data>
</resource>
