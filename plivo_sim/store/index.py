"""Which records have which values in some fields, each list in the order of ``seq``."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from itertools import product
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

from plivo_sim.ports import Record
from plivo_sim.store.ordered import Run

R = TypeVar("R", bound=Record)
Key = Hashable


class Index(Generic[R]):
    """A field that holds a tuple counts under each of its elements; ``overlaps`` says that there
    is one, so that a record may have several places. A property of the record is a field too.

    A value that one record has alone, as most ids are, costs no list.
    """

    def __init__(self, fields: tuple[str, ...], records: Iterable[R]) -> None:
        self.fields = fields
        self.overlaps = False
        self._value = attrgetter(*fields)
        self._single = len(fields) == 1
        self._places: dict[Key, R | Run[R]] = {}
        for record in records:
            self.put(record, None)

    def put(self, record: R, before: R | None) -> None:
        """Add a record; ``before``: what it replaces, with the same ``seq``."""
        keys = self._keys(record)
        if before is not None:
            old = self._keys(before)
            if old != keys:
                for key in old:
                    self._take(key, before)
        for key in keys:
            self._add(key, record)

    def discard(self, record: R) -> None:
        for key in self._keys(record):
            self._take(key, record)

    def having(self, key: Key) -> Run[R] | None:
        """The records under a key: of one field its value, of several the tuple of theirs."""
        place = self._places.get(key)
        if place is None or isinstance(place, Run):
            return place
        return Run((place,))

    def count(self, key: Key) -> int:
        place = self._places.get(key)
        return 0 if place is None else len(place) if isinstance(place, Run) else 1

    def keys_for(self, where: dict[str, Collection[str]]) -> list[Key]:
        """Every key that matches, where each field may have one of several values."""
        values = [list(dict.fromkeys(where[field])) for field in self.fields]
        return list(values[0]) if self._single else list(product(*values))

    def _add(self, key: Key, record: R) -> None:
        place = self._places.get(key)
        if isinstance(place, Run):
            place.put(record)
        elif place is None or place.seq == record.seq:
            self._places[key] = record
        else:
            both = (place, record) if place.seq < record.seq else (record, place)
            self._places[key] = Run(both)

    def _take(self, key: Key, record: R) -> None:
        place = self._places[key]
        if isinstance(place, Run) and len(place) > 1:
            place.remove(record.seq)
        else:
            del self._places[key]

    def _keys(self, record: R) -> list[Key]:
        value: Any = self._value(record)
        if self._single:
            if type(value) is not tuple:
                return [value]
            self.overlaps = True
            return list(dict.fromkeys(value))
        if tuple not in map(type, value):
            return [value]
        self.overlaps = True
        parts = [dict.fromkeys(v) if type(v) is tuple else (v,) for v in value]
        return cast("list[Key]", list(product(*parts)))
