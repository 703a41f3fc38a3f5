<resource schema="dc" resdir=".">
  <!-- Datalink for everything that has a publisher DID here, whatever data set it is of. -->
  <meta name="title">Datalink of the JMMC data centre</meta>
  <meta name="shortName">JMMC Datalink</meta>
  <meta name="creationDate">2026-11-24T12:00:00Z</meta>
  <meta name="description">Links from any entry of this data centre's ivoa.obscore to its files,
    plots and documentation, to what it was made of and to what was made of it. Any number of
    identifiers can be asked for at once, of all data sets.</meta>
  <meta name="subject">optical-interferometry</meta>
  <meta name="creator.name">Jean-Marie Mariotti Center</meta>

  <STREAM id="core">
    <doc>A Datalink core for publisher DIDs of the data sets named in \data_sets.

    A DID is ivo://AUTHORITY/~?DATA_SET/KEY. What there is for it, DATA_SET/res/links.py says:
    descriptor(did) is None, or something whose links() are the rows of the answer.</doc>
    <datalinkCore>
      <descriptorGenerator>
        <setup imports="importlib"/>
        <code>
          name = pubDID.partition("?")[2].partition("/")[0]
          found = None
          if name in "\data_sets".split():
            found = importlib.import_module(name + ".res.links").descriptor(pubDID)
          if found is None:
            return DatalinkFault.NotFoundFault(pubDID, "Nothing here has this identifier.")
          return found
        </code>
      </descriptorGenerator>
      <metaMaker semantics="#this">
        <code>
          yield from descriptor.links()
        </code>
      </metaMaker>
    </datalinkCore>
  </STREAM>

  <service id="dl" allowed="dlmeta">
    <meta name="title">JMMC Datalink</meta>
    <FEED source="core" data_sets="oidb obsportal"/>
  </service>

  <regSuite title="Datalink of all data sets">
    <regTest title="It says what it does not know, whatever is asked">
      <url ID="ivo://example.org/~?nothing">dl/dlmeta</url>
      <code>
        self.assertHTTPStatus(200)
        self.assertHasStrings("NotFoundFault", "Nothing here has this identifier")
      </code>
    </regTest>
    <regTest title="Modules that are no data sets are none">
      <url ID="ivo://example.org/~?centre/x">dl/dlmeta</url>
      <code>self.assertHasStrings("NotFoundFault")</code>
    </regTest>
  </regSuite>
</resource>
