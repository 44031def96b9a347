"""The config's section of exports: what is written beside the list, and what is handed on to other systems."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Scalar = str | int | float | bool
_DIRECTIVES = frozenset("YmdHMSz%")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkbookExport(_Section):
    """The workbook for people; with ``split_by`` one for each value of market, language or an attribute of customers."""

    to: Literal["workbook"]
    split_by: str | None = None


class ReportExport(_Section):
    """The page for a manager."""

    to: Literal["report"]


class CsvExport(_Section):
    """The list as CSV for people: words of their language, CRLF, nothing that a spreadsheet takes for a formula.

    ``unencodable``: what is done with characters that cp932 lacks. ``rows``: the whole list, or whom to contact alone.
    """

    to: Literal["csv"]
    encoding: Literal["utf-8-sig", "cp932"] = "utf-8-sig"
    unencodable: Literal["error", "replace", "translit"] = "error"
    rows: Literal["all", "contact"] = "all"
    split_by: str | None = None


class Contacts(_Section):
    """Where e-mail addresses, phone numbers and the like come from; read for this destination and nothing else.

    ``columns`` says how ours (``customer_id``, and the names after ``contacts.``) are called there.
    """

    path: str | None = None
    uri: str | None = None
    table: str | None = None
    query: str | None = None
    columns: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_source(self) -> Contacts:
        if (self.path is None) == (self.uri is None):
            raise ValueError("needs either path or uri")
        if self.uri is not None and self.query is None and self.table is None:
            raise ValueError("has a uri but neither query nor table; add the query to run there")
        return self


class DestinationExport(_Section):
    """A file for another system: their columns made of ours, the customers to contact alone.

    ``columns`` {theirs: ours}; ours is a column of at_risk.csv, market, language, an attribute of customers, or
    ``contacts.NAME``. ``key``: their column that names the customer (default: the one made of customer_id). ``blank``:
    what is written where a value is missing. ``clear``: by their column, what stands for "nothing any more".
    ``channels``: only rows whose action uses one of them. ``attributes``: Braze's custom attributes that exist already.
    ``drop``: a folder, or the address of one, into which each file is put as well when it is handed over.
    """

    to: Literal["destination", "braze", "klaviyo"]
    name: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")
    columns: dict[str, str] = Field(min_length=1)
    constants: dict[str, Scalar] = {}
    key: str | None = None
    date_format: str | None = None
    blank: Literal["empty", "refuse", "clear"] | None = None
    clear: dict[str, Scalar] = {}
    changed_only: bool = False
    channels: list[Literal["email", "sms", "line", "phone", "post"]] = []
    attributes: list[str] = []
    contacts: Contacts | None = None
    drop: str | None = Field(None, min_length=1)

    @field_validator("date_format")
    @classmethod
    def _whole_date(cls, value: str | None) -> str | None:
        if value is None:
            return None
        used = set(re.findall(r"%(.)", value))
        if not {"Y", "m", "d"} <= used or used - _DIRECTIVES:
            raise ValueError("must hold %Y, %m and %d, and may hold %H, %M, %S and %z; '%Y/%m/%d' writes 2026/01/05")
        return value

    @property
    def file_stem(self) -> str:
        """What its files are called."""
        return self.name or self.to

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return self.file_stem


class DatabaseExport(_Section):
    """A table of PostgreSQL that holds every published list. ``create``: it, or columns that it lacks, are made.

    ``name``: what it is called in messages and in the outbox; needed where two databases have a table of one name.
    """

    to: Literal["database"]
    uri: str
    name: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")
    table: str = "at_risk"
    create: bool = False

    @field_validator("uri")
    @classmethod
    def _postgresql(cls, value: str) -> str:
        if not re.match(r"postgres(ql)?://", value):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("table")
    @classmethod
    def _named(cls, value: str) -> str:
        if not re.fullmatch(r"\w{1,63}(\.\w{1,63})?", value):
            raise ValueError("must be a table, or schema.table, of letters, digits and '_'")
        return value

    @property
    def file_stem(self) -> str:
        """What its entry in the outbox is called."""
        return self.name or f"database-{self.table}"

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return self.name or f"database {self.table}"


# What every published list is handed on to.
Receiver = DestinationExport | DatabaseExport

Export = Annotated[
    WorkbookExport | ReportExport | CsvExport | DestinationExport | DatabaseExport, Field(discriminator="to")
]


def export_section(to: str) -> type[BaseModel] | None:
    """The section of an export by what it is called in ``to``."""
    return {name: section for section in _SECTIONS for name in get_args(section.model_fields["to"].annotation)}.get(to)


_SECTIONS: list[type[BaseModel]] = [WorkbookExport, ReportExport, CsvExport, DestinationExport, DatabaseExport]
