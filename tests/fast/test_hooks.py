"""DaCHS still has what fast/ uses of its inside (fast/README.md); it is read, not run."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

#: File, name of a function, method or class in it, and the parameters it must have.
USED = [
    ("adql/grammar.py", "getADQLGrammarCopy", ["nodes"]),
    ("base/caches.py", "clearCaches", None),
    ("base/caches.py", "clearForName", None),
    ("base/config.py", "loadConfig", []),
    ("base/meta.py", "makeFallbackMeta", ["reload"]),
    ("base/sqlsupport.py", "getDBConnection", ["profile"]),
    ("base/sqlsupport.py", "getUntrustedConn", None),
    ("base/sqlsupport.py", "getTableConn", None),
    ("base/sqlsupport.py", "getWritableTableConn", None),
    ("base/sqlsupport.py", "GAVOConnection", None),
    ("base/valuemappers.py", "SerManager", None),
    ("formats/votablewrite.py", "getAsVOTable", ["data"]),
    ("formats/votablewrite.py", "makeVOTable", ["data", "ctx"]),
    ("formats/votablewrite.py", "VOTableContext", None),
    ("formats/common.py", "FORMATS_REGISTRY.getKeyFor", ["formatName"]),
    ("formats/common.py", "FORMATS_REGISTRY.getMIMEFor", ["formatName", "orderedFormat"]),
    ("protocols/adqlglue.py", "mapADQLErrors", ["excType", "excValue", "excTb"]),
    ("protocols/adqlglue.py", "morphADQL", ["query", "maxrec"]),
    ("protocols/dali.py", "serveDALIError", ["request", "errInfo"]),
    ("protocols/scs.py", "SCSCore", None),
    ("protocols/taprunner.py", "_makeDataFor", ["resultTable"]),
    ("protocols/taprunner.py", "_parseTAPParameters", ["jobId", "parameters"]),
    ("protocols/taprunner.py", "writeResultTo", ["format", "res", "outF"]),
    ("registry/publication.py", "findPublishedRDs", []),
    ("rsc/dbtable.py", "DBTable.getQuery",
     ["resultTableDef", "fragment", "pars", "distinct", "limits", "groupBy"]),
    ("rsc/qtable.py", "QueryTable.__init__", ["tableDef", "query", "connection"]),
    ("svcs/common.py", "QueryMeta.fromRequest", ["request"]),
    ("svcs/common.py", "QueryMeta.asSQL", []),
    ("svcs/inputdef.py", "CoreArgs.fromRawArgs", ["inputTD", "rawArgs", "contextGrammar"]),
    ("svcs/service.py", "Service.adaptCoreRes", ["coreRes", "queryMeta"]),
    ("svcs/service.py", "Service.getContextGrammarFor", ["renderer", "queryMeta", "core"]),
    ("svcs/service.py", "Service.getCoreFor", ["renderer", "queryMeta"]),
    ("svcs/standardcores.py", "DBCore._makeResultTableDef", ["service", "inputTable", "queryMeta"]),
    ("svcs/standardcores.py", "TableBasedCore._addQueryStatus", ["resultTable", "queryMeta"]),
    ("svcs/standardcores.py", "TableBasedCore._getSQLWhere", ["inputTable", "queryMeta"]),
    ("svcs/standardcores.py", "mapDBErrors", ["excType", "excValue", "excTb"]),
    ("user/serve.py", "_preloadPublishedRDs", []),
    ("utils/stanxml.py", "escapeAttrVal", ["val"]),
    ("votable/coding.py", "buildEncoder", ["tableDefinition", "encoderModule"]),
    ("votable/tablewriter.py", "OverflowElement", None),
    ("web/common.py", "Request", None),
    ("web/root.py", "_authorizeCORS", ["request"]),
    ("web/root.py", "root", None),
    ("web/root.py", "site", None),
    ("web/vodal.py", "DALRenderer._formatOutput", ["data", "request", "stream"]),
    ("web/vodal.py", "SCSRenderer._formatOutput", ["data", "request", "stream"]),
]  # fmt: skip

#: Words of DaCHS' source that the changes rely on, by file.
SAID = [
    ("web/root.py", r"\bgc\.collect\(\)"),
    ("web/root.py", r"self\.maintFile = "),
    ("user/serve.py", r"threads\.deferToThread, _preloadPublishedRDs"),
    ("user/serve.py", r"base\.caches\.clearCaches\(\)"),
    ("protocols/adqlglue.py", r'infoName="sql_query", infoValue=translated'),
    ("protocols/adqlglue.py", r'infoName="query", infoValue=query'),
    ("protocols/adqlglue.py", r'replace\("%", "%%"\)'),
    ("protocols/adqlglue.py", r"tableDef\.overflowLimit = "),
    ("formats/votablewrite.py", r'V\.INFO\(name="request_date"'),
    ("protocols/scs.py", r'"spoint \'\(%fd,%fd\)\'"%destPos'),
    ("protocols/scs.py", r"parseHumanSpoint"),
]


def _dachs() -> Path:
    spec = importlib.util.find_spec("gavo")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("DaCHS is not installed")
    return Path(spec.submodule_search_locations[0])


def _definition(tree: ast.AST, name: str) -> ast.AST | None:
    """What defines a dotted name: a function, a class, an assignment."""
    head, _, rest = name.partition(".")
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == head:
            return _definition(node, rest) if rest else node
        if isinstance(node, ast.Assign) and not rest:
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == head:
                    return node
    return None


@pytest.mark.parametrize(("file", "name", "parameters"), USED, ids=str)
def test_what_is_used_is_there(file: str, name: str, parameters: list[str] | None) -> None:
    path = _dachs() / file
    assert path.exists(), f"DaCHS has no {file} any more; fast/ uses {name} of it"
    found = _definition(ast.parse(path.read_text(encoding="utf-8")), name)
    assert found is not None, f"DaCHS' {file} has no {name} any more, which fast/ uses"
    if parameters is not None:
        assert isinstance(found, ast.FunctionDef), f"{name} of {file} is no function any more"
        has = {one.arg for one in (*found.args.args, *found.args.kwonlyargs)}
        assert set(parameters) <= has, f"{name} of {file} has other parameters"


@pytest.mark.parametrize(("file", "words"), SAID, ids=str)
def test_what_is_changed_is_as_it_was(file: str, words: str) -> None:
    text = (_dachs() / file).read_text(encoding="utf-8")
    assert re.search(words, text), f"DaCHS' {file} does not say {words} any more"
