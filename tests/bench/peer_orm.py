"""How the examples of python-nmap and libnmap store a scan: objects with a relationship, one session."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

FIELDS = ("number", "protocol", "state", "name", "product", "version")


class Base(DeclarativeBase):
    pass


class Port(Base):
    __tablename__ = "port"
    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id"))
    number: Mapped[int]
    protocol: Mapped[str]
    state: Mapped[str]
    name: Mapped[str]
    product: Mapped[str]
    version: Mapped[str]


class Host(Base):
    __tablename__ = "host"
    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    ports: Mapped[list[Port]] = relationship()


def store(folder: Path, hosts: Iterable[tuple[str, list[tuple[object, ...]]]]) -> int:
    """Store pairs of (address, values of :data:`FIELDS` of each port); return how many ports."""
    Base.metadata.create_all(engine := create_engine(f"sqlite:///{folder}/orm.sqlite3"))
    total = 0
    with Session(engine) as session:
        for address, ports in hosts:
            total += len(ports)
            session.add(
                Host(address=address, ports=[Port(**dict(zip(FIELDS, p, strict=True))) for p in ports])
            )
        session.commit()
    return total
