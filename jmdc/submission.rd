<resource schema="jmdc" resdir="." readProfiles="defaults,untrustedquery">
  <!-- What users hand in for JMDC, and what editors have decided on it. Who has done what is for
    those concerned only: no service shows this table. The profiles that may read are those of the
    schema, in which ADQL sees other tables (q.rd); this table has not got them. -->
  <meta name="title">Submissions to JMDC</meta>
  <meta name="creationDate">2026-11-26T12:00:00Z</meta>
  <meta name="description">Measurements of stellar diameters, and corrections of such, that were
    handed in for JMDC.</meta>
  <meta name="subject">stellar-radii</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>

  <table id="submission" onDisk="True" adql="False" primary="submission_id,version">
    <meta name="description">Submissions in all their versions: a row for each thing that was done
      with one, none of which is ever changed. The one with the highest version is what stands.</meta>
    <index columns="state"/>
    <index columns="submitter"/>
    <column name="submission_id" type="integer" required="True" ucd="meta.id;meta.main"
      description="Number of the submission."/>
    <column name="version" type="integer" required="True" ucd="meta.version"
      description="Number of the version, from 1. Who decides names the one that he has seen; of two
        at once the second finds another version."/>
    <column name="deed" type="text" required="True" ucd="meta.code"
      description="What was done: submitted, changed, answered (by the submitter, to a question),
        withdrawn; asked, accepted, rejected (by an editor)."/>
    <column name="state" type="text" required="True" ucd="meta.code.status"
      description="What the submission is upon that: submitted, asked, accepted, rejected or
        withdrawn."/>
    <column name="submitter" type="text" required="True" ucd="meta.id"
      description="Who has handed it in, by the name to log in with."/>
    <column name="username" type="text" required="True" ucd="meta.id"
      description="Who has done this, by the name to log in with."/>
    <column name="created" type="timestamp" required="True" ucd="time.creation"
      description="When it was done (UTC)."/>
    <column name="words" type="unicode" ucd="meta.note"
      description="What was said with it: why the values are right, a question, an answer, a
        reason."/>
    <column name="corrects" type="integer" ucd="meta.id"
      description="Number of the measurement that is to be corrected; NULL for a new one.">
      <values nullLiteral="-1"/>
    </column>
    <column name="corrects_values" type="unicode" ucd="meta.note"
      description="What that measurement said when it was handed in, as a JSON object of the
        published columns."/>
    <LOOP listItems="id1 id2 ud_diam ld_diam e_ld_diam band mu_lambda method bandcode notes bibcode sinpe">
      <events><column original="jmdc/q#stored_measurement.\item"/></events>
    </LOOP>
    <column name="findings" type="unicode" required="True" ucd="meta.note"
      description="What the rules found in it then, as a JSON list of objects."/>
    <column name="measurement_id" type="integer" ucd="meta.id"
      description="Number of the measurement that it has become; NULL for what was not accepted.">
      <values nullLiteral="-1"/>
    </column>
  </table>

  <data id="create" updating="True">
    <make table="submission"/>
  </data>
</resource>
