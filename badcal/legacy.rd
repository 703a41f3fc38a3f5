<resource schema="badcal" resdir=".">
  <!-- The table that /badcal-dsa/SubmitCone answers with, which SearchCal reads: the accepted stars
    of q.rd under the names of that time. A view, nothing is stored twice. The answer's columns are
    these (res/cone.py). -->
  <meta name="title">Answers of the former BadCal</meta>
  <meta name="creationDate">2026-11-26T12:00:00Z</meta>
  <meta name="description">The bad calibrators in the columns that the former service answered
    with.</meta>
  <meta name="subject">long-baseline-interferometry</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>

  <!-- Were it not open to ADQL at all, DaCHS would close the whole schema to it. -->
  <table id="valid_stars" onDisk="True" adql="hidden">
    <meta name="description">The accepted bad calibrators.</meta>
    <column name="id" type="integer" required="True" ucd="meta.id;meta.main"
      description="Number of the star in BadCal.">
      <property name="formerUcd">ID_MAIN</property>
    </column>
    <column name="ra" type="double precision" unit="deg" required="True"
      ucd="pos.eq.ra;meta.main" description="Right ascension (J2000).">
      <property name="formerUcd">POS_EQ_RA_MAIN</property>
    </column>
    <column name="dec" type="double precision" unit="deg" required="True"
      ucd="pos.eq.dec;meta.main" description="Declination (J2000).">
      <property name="formerUcd">POS_EQ_DEC_MAIN</property>
    </column>
    <column name="ra_sexa" type="text" required="True" ucd="pos.eq.ra"
      description="Right ascension (J2000): hours, minutes, seconds.">
      <property name="formerUcd">POS_EQ_RA</property>
    </column>
    <column name="dec_sexa" type="text" required="True" ucd="pos.eq.dec"
      description="Declination (J2000): degrees, minutes, seconds.">
      <property name="formerUcd">POS_EQ_DEC</property>
    </column>
    <column name="name" type="unicode" required="True" ucd="meta.id;src"
      description="Name of the star; BadCal and its number when it has none. It has neither commas
        nor quotes.">
      <property name="formerUcd">ID_IDENTIFIER</property>
    </column>
    <viewStatement>
      CREATE VIEW \qName (\colNames) AS (
        SELECT badcal_id, s_ra, s_dec,
          concat_ws(' ', to_char(ms/3600000, 'FM00'), to_char(mod(ms/60000, 60), 'FM00'),
            to_char(mod(ms, 60000)/1000.0, 'FM00.000')),
          CASE WHEN s_dec&lt;0 THEN '-' ELSE '+' END || concat_ws(' ', to_char(mas/360000, 'FM00'),
            to_char(mod(mas/6000, 60), 'FM00'), to_char(mod(mas, 6000)/100.0, 'FM00.00')),
          regexp_replace(COALESCE(name, 'BadCal ' || badcal_id), '[,"''[:cntrl:]]', ' ', 'g')
        FROM (SELECT *, mod(round(s_ra*240000)::bigint, 86400000) AS ms,
            round(abs(s_dec)*360000)::bigint AS mas FROM \schema.star) AS s
        WHERE state='accepted')
    </viewStatement>
  </table>

  <data id="create">
    <make table="valid_stars"/>
  </data>
</resource>
