"""The tables of an export, and the SELECT of each in the wording that its product asks for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy import ColumnElement, Label, and_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.types import Boolean, Text

from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.filters import conditions
from qikbiz.crm.records.listing import order_from
from qikbiz.crm.records.row_access import shown_column
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import RECORD_TYPES, record_type
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.rights import Rights
from qikbiz.transfer.exports import spreadsheet
from qikbiz.transfer.exports.access import exportable_types, refuse_unless_exportable
from qikbiz.transfer.exports.catalogue import DIALECT, EVERYTHING, EXPORTED, ExportedTable, exported_table
from qikbiz.transfer.exports.contributions import own_product
from qikbiz.transfer.exports.formula_escape import FIRST_CHARACTERS, FORMULA_SAFE_SUFFIX
from qikbiz.transfer.exports.selection import PORTABLE, PRODUCTS, SORT, SPREADSHEET, Selection

SUFFIX = {PORTABLE: ".csv", SPREADSHEET: FORMULA_SAFE_SUFFIX}
Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True)
class Source:
    """One file of the export: its headings, the types behind them, and the SELECT that fills it.

    `formula_columns` are those whose cells are counted, since a spreadsheet might run them.
    """

    table: ExportedTable
    file_name: str
    headings: tuple[str, ...]
    columns: tuple[str, ...]
    expressions: tuple[sql.Composable, ...]
    condition: sql.Composable
    order: sql.Composable

    def rows(self) -> sql.Composed:
        wanted = sql.SQL(", ").join(self.expressions)
        return sql.SQL("SELECT {} FROM {} AS t WHERE {} ORDER BY {}").format(
            wanted, self._name(), self.condition, self.order
        )

    def copy(self) -> sql.Composed:
        return sql.SQL("COPY ({}) TO STDOUT WITH (FORMAT csv, FORCE_QUOTE *)").format(self.rows())

    def formula_columns(self) -> tuple[str, ...]:
        return tuple(name for name in self.columns if isinstance(self.table.column(name).type, Text))

    def counts(self) -> sql.Composed:
        """Rows, an estimate of their bytes, and for each of `formula_columns` the cells that begin like a formula."""
        begins = sql.SQL("count({column}) FILTER (WHERE strpos({first}, left({column}, 1)) > 0 AND {column} <> '')")
        counted = [
            begins.format(column=sql.SQL("t.{}").format(sql.Identifier(name)), first=sql.Literal(FIRST_CHARACTERS))
            for name in self.formula_columns()
        ]
        figures = sql.SQL(", ").join([sql.SQL("count(*)"), *counted])
        return sql.SQL("SELECT {} FROM {} AS t WHERE {}").format(figures, self._name(), self.condition)

    def sample(self, rows: int = 500) -> sql.Composed:
        """The bytes of one row, about."""
        wanted = sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(name)) for name in self.table.columns)
        return sql.SQL(
            "SELECT coalesce(avg(pg_column_size(s)), 0) FROM (SELECT {} FROM {} AS t WHERE {} LIMIT {}) AS s"
        ).format(wanted, self._name(), self.condition, sql.Literal(rows))

    def _name(self) -> sql.Composable:
        return sql.Identifier(self.table.name)


def sources(selection: Selection, connection: Connection) -> list[Source]:
    """The files of the export, in the order written. Raises Failure for a selection that makes no sense."""
    check(selection)
    refuse_unless_exportable(selection.rights, selection.scope, selection.product)
    tables = [table for table in EXPORTED if _is_wanted(table, selection)]
    return [_source(table, selection, connection) for table in tables]


def check(selection: Selection) -> None:
    """Raises Failure with the reason when nothing can be exported like this."""
    own = own_product(selection.product)
    if own is not None and selection.scope == own.name and set(selection.filters or {}) == own.filters:
        return
    if selection.product not in PRODUCTS:
        raise Failure(f"There is no export called {selection.product!r}. Choose portable or spreadsheet.")
    if selection.scope == EVERYTHING:
        if selection.filters or selection.columns:
            raise Failure("An export of everything can't be filtered. Choose one list.")
        return
    kind = visible_type(record_type(selection.scope), selection.rights)
    conditions(kind, selection.filters or {}, selection.viewpoint)
    order_from(kind, selection.filters or {})
    known = set(exported_table(kind.plural).columns) - unexported(kind)
    unknown = [name for name in selection.columns if name not in known]
    if unknown:
        raise Failure(f"{kind.plural_label} have no column {unknown[0][:60]!r}.")


def unexported(kind: RecordType) -> frozenset[str]:
    """The columns that a person who knows the type like this must not get."""
    repeats = {"sort_name"} if kind.unsearchable & {*kind.searched, "phone"} else frozenset()
    return kind.hidden | repeats


def is_table_of_records(name: str) -> bool:
    return name in RECORD_TYPES


def _is_wanted(table: ExportedTable, selection: Selection) -> bool:
    if selection.scope != EVERYTHING:
        return table.name == selection.scope
    # A spreadsheet is for reading lists; histories and settings are for programs.
    if selection.product == SPREADSHEET:
        return table.name in exportable_types(selection.rights)
    return True


def _source(table: ExportedTable, selection: Selection, connection: Connection) -> Source:
    file_name = table.name + SUFFIX[selection.product]
    condition, order = _condition(table, selection, connection), _order(table, selection, connection)
    if selection.product == SPREADSHEET:
        written = partial(_column, table, selection.rights, connection)
        shown = spreadsheet.columns_of(table, selection.columns, selection.zone, _gone(table, selection), written)
        names, headings = tuple(c.name for c in shown), tuple(c.heading for c in shown)
        return Source(table, file_name, headings, names, tuple(c.expression for c in shown), condition, order)
    gone = _gone(table, selection)
    chosen = (name for name in table.columns if not selection.columns or name in (*selection.columns, *table.order))
    names = tuple(name for name in chosen if name not in gone)
    exact = tuple(_exact(table, name, _column(table, selection.rights, connection, name)) for name in names)
    return Source(table, file_name, names, names, exact, condition, order)


def _gone(table: ExportedTable, selection: Selection) -> frozenset[str]:
    if not is_table_of_records(table.name):
        return frozenset()
    return unexported(visible_type(record_type(table.name), selection.rights))


def _column(table: ExportedTable, rights: Rights, connection: Connection, name: str) -> sql.Composable:
    """The column, empty where it names a record that this person may not see."""
    if is_table_of_records(table.name):
        shown = shown_column(record_type(table.name), name, rights)
        if shown is not table.column(name):
            return _written_out(shown, table, connection)
    return sql.SQL("t.{}").format(sql.Identifier(name))


def _exact(table: ExportedTable, name: str, column: sql.Composable) -> sql.Composable:
    if isinstance(table.column(name).type, ARRAY):
        # JSON, which every program reads, rather than PostgreSQL's own way of writing a list.
        return sql.SQL("array_to_json({})").format(column)
    if isinstance(table.column(name).type, Boolean):
        return sql.SQL("{}::text").format(column)
    return column


def _condition(table: ExportedTable, selection: Selection, connection: Connection) -> sql.Composable:
    if selection.scope == EVERYTHING:
        # A spreadsheet leaves out what lies in the trash; the portable export is whole.
        if selection.product == PORTABLE:
            return sql.SQL("true")
        return _written_out(and_(*conditions(record_type(table.name), {}, selection.viewpoint)), table, connection)
    kind = visible_type(record_type(selection.scope), selection.rights)
    wanted = conditions(kind, selection.filters or {}, selection.viewpoint)
    return _written_out(and_(*wanted), table, connection)


def _order(table: ExportedTable, selection: Selection, connection: Connection) -> sql.Composable:
    """As the list that somebody looked at is sorted; everything else by its key, which never changes."""
    asked = selection.filters or {}
    by_key = sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(name)) for name in table.order)
    is_list = selection.scope != EVERYTHING and is_table_of_records(table.name)
    if not is_list or (selection.product == PORTABLE and SORT not in asked):
        return by_key
    order = order_from(visible_type(record_type(table.name), selection.rights), asked)
    direction = sql.SQL(" DESC" if order.is_descending else "")
    if order.column is None:
        return by_key + direction
    column = _written_out(order.column, table, connection)
    # Rows without a value come last either way, as in the list.
    return sql.SQL("{}{} NULLS LAST, {}{}").format(column, direction, by_key, direction)


def _written_out(condition: ColumnElement[bool], table: ExportedTable, connection: Connection) -> sql.Composable:
    """A condition or a column on the alias `t`. COPY takes no parameters, so psycopg writes each as a literal."""
    unlabelled = condition.element if isinstance(condition, Label) else condition
    aliased = ClauseAdapter(table.table.alias("t")).traverse(unlabelled)
    compiled = aliased.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    return sql.SQL(psycopg.ClientCursor(connection).mogrify(str(compiled), compiled.params))
