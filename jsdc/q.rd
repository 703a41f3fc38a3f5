<resource schema="jsdc" resdir=".">
  <!-- JSDC, the catalogue of stellar diameters computed from photometry. How a file of it is read
    is in ingest/jsdc.py; this file says what the table is. -->
  <meta name="title">JSDC: JMMC Stellar Diameters Catalogue</meta>
  <meta name="shortName">JSDC</meta>
  <meta name="creationDate">2026-11-26T12:00:00Z</meta>
  <meta name="description" format="rst">
    Angular diameters, computed from photometry, of nearly all stars of the Hipparcos and Tycho
    catalogues that have a spectral type in SIMBAD: 465,877 stars in version 2. The median error
    is around 1.5 %, with possible biases of around 2 %.

    For each star there are the limb-darkened diameter with its error and the chi2 of the
    estimates that it is the mean of, uniform-disk diameters in ten bands, magnitudes, spectral
    type, and a flag that says what speaks against the star as a calibrator of an interferometer.
    The surface-brightness relations behind it rest on the measured diameters of JMDC.
  </meta>
  <meta name="subject">interferometry</meta>
  <meta name="subject">optical-interferometry</meta>
  <meta name="subject">stellar-radii</meta>
  <meta name="subject">catalogs</meta>
  <meta name="creator">Bourges, L.; Mella, G.; Lafrasse, S.; Duvert, G.; Chelli, A.; Le Bouquin, J.-B.; Delfosse, X.; Chesneau, O.</meta>
  <meta name="source">2014ASPC..485..223B</meta>
  <meta name="contentLevel">Research</meta>
  <meta name="type">Catalog</meta>
  <meta name="coverage.waveband">Optical</meta>
  <meta name="coverage.waveband">Infrared</meta>
  <meta name="howtociteLink">https://ui.adsabs.harvard.edu/abs/2016A&amp;A...589A.112C</meta>
  <meta name="_longdoc" format="rst">
    Please cite Chelli et al. 2016 (2016A&amp;A...589A.112C), which describes the method, and
    acknowledge: *This research has made use of the Jean-Marie Mariotti Center JSDC catalog,
    available at http://www.jmmc.fr/jsdc*. The table is catalogue II/346 of the CDS, in its columns;
    those of version 3 are foreseen, and NULL in version 2.
  </meta>

  <table id="star" onDisk="True" adql="True" primary="star_id">
    <meta name="description">Stars of JSDC with their computed diameters.</meta>
    <mixin>//scs#pgs-pos-index</mixin>
    <index columns="name"/>
    <index columns="name_key"/>
    <index columns="ldd"/>
    <index columns="kmag"/>

    <column name="name" type="text" ucd="meta.id;meta.main" tablehead="Star" verbLevel="1"
      description="Name of the star, that in the HD catalogue where it has one."/>
    <column name="ra" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"
      tablehead="RA" verbLevel="1" displayHint="sf=7"
      description="Right ascension (ICRS, epoch J2000)."/>
    <column name="dec" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"
      tablehead="Dec" verbLevel="1" displayHint="sf=7"
      description="Declination (ICRS, epoch J2000)."/>
    <column name="ldd" type="real" unit="mas" ucd="phys.angSize" tablehead="LDD" verbLevel="1"
      displayHint="sf=4" description="Diameter of the limb-darkened disk; NULL where it could not
        be computed."/>
    <column name="e_ldd" type="real" unit="mas" ucd="stat.error;phys.angSize" tablehead="e_LDD"
      verbLevel="1" displayHint="sf=4" description="Error of the diameter, the 2 % that are allowed
        for biases included; it is that of the uniform-disk diameters, too."/>
    <column name="ldd_chi2" type="real" ucd="stat.fit.chi2" tablehead="chi2" verbLevel="5"
      displayHint="sf=2" description="Reduced chi2 of the estimates that the diameter is the mean
        of (Chelli et al. 2016, appendix A.2)."/>
    <column name="cal_flag" type="smallint" ucd="meta.code.qual" tablehead="CalFlag"
      verbLevel="1" note="cal" description="What speaks against the star as a calibrator: a sum of
        bits, 0 when nothing does.">
      <values nullLiteral="-1"/>
    </column>
    <column name="sp_type" type="text" ucd="src.spType" tablehead="Sp. type" verbLevel="5"
      description="Spectral type, from SIMBAD."/>
    <LOOP>
      <csvItems>
        name, band, ucd,          source
        b,    B,    em.opt.B,     from Tycho-2 (I/259)
        v,    V,    em.opt.V,     from Tycho-2 (I/259)
        r,    R,    em.opt.R,     estimated
        i,    I,    em.opt.I,     estimated
        j,    J,    em.IR.J,      from 2MASS (II/246)
        h,    H,    em.IR.H,      from 2MASS (II/246)
        k,    K,    em.IR.K,      from 2MASS (II/246)
        l,    L,    em.IR.3-4um,  W1 of WISE (II/311)
        m,    M,    em.IR.4-8um,  W2 of WISE (II/311)
        n,    N,    em.IR.8-15um, W3 of WISE (II/311)
      </csvItems>
      <events>
        <column name="\name\+mag" type="real" unit="mag" ucd="phot.mag;\ucd"
          tablehead="\band" verbLevel="10" displayHint="sf=3"
          description="Magnitude in the band \band, \source."/>
      </events>
    </LOOP>
    <LOOP>
      <csvItems>
        name, band, ucd
        b,    B,    em.opt.B
        v,    V,    em.opt.V
        j,    J,    em.IR.J
        h,    H,    em.IR.H
        k,    K,    em.IR.K
        l,    L,    em.IR.3-4um
        m,    M,    em.IR.4-8um
        n,    N,    em.IR.8-15um
      </csvItems>
      <events>
        <column name="e_\name\+mag" type="real" unit="mag" ucd="stat.error;phot.mag;\ucd"
          tablehead="e_\band" verbLevel="20" displayHint="sf=3"
          description="Error of the magnitude in the band \band."/>
      </events>
    </LOOP>
    <LOOP>
      <csvItems>
        name, band, ucd
        b,    B,    em.opt.B
        v,    V,    em.opt.V
        r,    R,    em.opt.R
        i,    I,    em.opt.I
        j,    J,    em.IR.J
        h,    H,    em.IR.H
        k,    K,    em.IR.K
        l,    L,    em.IR.3-4um
        m,    M,    em.IR.4-8um
        n,    N,    em.IR.8-15um
      </csvItems>
      <events>
        <column name="udd_\name" type="real" unit="mas" ucd="phys.angSize;\ucd"
          tablehead="UD \band" verbLevel="10" displayHint="sf=4"
          description="Diameter of the uniform disk in the band \band; its error is e_ldd."/>
      </events>
    </LOOP>
    <column name="pm_ra" type="real" unit="mas/yr" ucd="pos.pm;pos.eq.ra" verbLevel="20"
      description="Proper motion in right ascension times cos(declination); NULL in version 2."/>
    <column name="pm_dec" type="real" unit="mas/yr" ucd="pos.pm;pos.eq.dec" verbLevel="20"
      description="Proper motion in declination; NULL in version 2."/>
    <column name="ir_flag" type="smallint" ucd="meta.code.qual;em.IR" tablehead="IRFlag"
      verbLevel="15" note="ir" description="What the infrared tells of the star: a sum of bits, 0
        for nothing; NULL in version 2.">
      <values nullLiteral="-1"/>
    </column>
    <column name="gaia_dr3_id" type="bigint" ucd="meta.id.cross" tablehead="Gaia DR3"
      verbLevel="15" description="Identifier of the star in Gaia DR3; NULL in version 2.">
      <values nullLiteral="-1"/>
    </column>
    <column name="version" type="smallint" required="True" ucd="meta.version"
      tablehead="Version" verbLevel="15" description="Version of JSDC that the row is of."/>
    <column name="quality_flags" type="text" required="True" ucd="meta.code.qual" verbLevel="10"
      note="flags" description="What is wrong or doubtful in the row, as words separated by blanks;
        empty when nothing is known. Values are those of the catalogue."/>
    <column name="name_key" type="text" ucd="meta.id" verbLevel="30"
      description="The name without what spellings differ in; equal for spellings of one name."/>
    <column name="star_id" type="integer" required="True" ucd="meta.record" tablehead="Row"
      verbLevel="15" description="Number of the row in the catalogue, from 1; another version
        numbers stars otherwise."/>

    <meta name="note" tag="cal" format="rst">
      1: chi2 of the diameter above 5.

      2: a known double star with a separation below 1 arcsec (WDS).

      4: of a type in SIMBAD that may be binary or pulsating: C*, S*, Pu*, RR*, Ce*, dS*, RV*,
      WV*, bC*, cC*, gD*, SX*, Mi*, SB*, Al*.

      8 (version 3): neighbours within 3 arcsec make the cross-match of its photometry doubtful.

      None of them says that the diameter is wrong.
    </meta>
    <meta name="note" tag="ir" format="rst">
      Of MDFC (II/361). 1: excess in the infrared. 2: extended in the infrared. 4: probably variable
      in the infrared.
    </meta>
    <LOOP>
      <codeItems>
        from ingest import jsdc
        yield {"words": "\n\n".join("*%s*: %s" % item for item in jsdc.QUALITY_FLAGS.items())}
      </codeItems>
      <events><meta name="note" tag="flags" format="rst">\words</meta></events>
    </LOOP>
  </table>

  <!-- res/store.py fills it, by COPY and with the columns named here. -->
  <data id="create" updating="True">
    <make table="star"/>
  </data>

  <!-- The registry's record of the data set as a whole; `dachs limits` fills in the coverage. -->
  <coverage>
    <updater spaceTable="star"/>
  </coverage>
  <data id="tables" auto="False">
    <publish sets="ivo_managed"/>
    <make table="star"/>
  </data>

  <!-- ==================================== services ==================================== -->

  <service id="cone" allowed="scs.xml,form">
    <meta name="title">JSDC stars by position</meta>
    <meta name="shortName">JSDC cone</meta>
    <meta name="description">Stars of the JMMC Stellar Diameters Catalogue around a position on the
      sky, with computed diameters and what makes them good or bad calibrators.</meta>
    <meta>
      testQuery.ra: 112.3
      testQuery.dec: -23.4
      testQuery.sr: 0.01
    </meta>
    <publish render="scs.xml" sets="ivo_managed"/>
    <publish render="form" sets="ivo_managed,local"/>
    <scsCore queriedTable="star">
      <FEED source="//scs#coreDescs"/>
      <LOOP listItems="name ldd kmag cal_flag">
        <events><condDesc buildFrom="\item"/></events>
      </LOOP>
    </scsCore>
  </service>

  <!-- ================================ regression tests ================================ -->

  <regSuite title="JSDC">
    <regTest title="A cone search is an SCS answer">
      <url RA="112.3" DEC="-23.4" SR="0.1" VERB="1">cone/scs.xml</url>
      <code>
        self.assertHTTPStatus(200)
        self.assertXpath("//v:FIELD[@ucd='ID_MAIN']", {"name": "name"})
        self.assertXpath("//v:INFO[@name='QUERY_STATUS']", {"value": "OK"})
      </code>
    </regTest>
    <regTest title="Unknown diameters are NULL, never -1">
      <url parSet="TAP" QUERY="SELECT COUNT(*) AS n FROM jsdc.star
          WHERE ldd=-1 OR e_ldd=-1 OR udd_b=-1 OR udd_k=-1 OR udd_n=-1">/tap/sync</url>
      <code>self.assertEqual(self.getFirstVOTableRow()["n"], 0)</code>
    </regTest>
  </regSuite>
</resource>
