"""What phones ask of a certificate: names, purpose, age; and when another one is made."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from stream.tls import certificates
from stream.tls.certificates import Pair

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAMES = ["192.168.1.7", "::1", "localhost", "pi.local"]
AUTHORITY = certificates.make_authority("pi", NOW)
LEAF = certificates.issue(AUTHORITY, NAMES, NOW)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def test_it_is_for_every_name_and_address() -> None:
    names = LEAF.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "pi.local"]
    addresses = [ipaddress.ip_address("192.168.1.7"), ipaddress.ip_address("::1")]
    assert names.get_values_for_type(x509.IPAddress) == addresses
    assert sorted(certificates.names_of(LEAF.certificate)) == sorted(NAMES)
    assert certificates.names_of(AUTHORITY.certificate) == []


def test_iphones_take_it() -> None:
    certificate = LEAF.certificate
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= days(825)
    assert certificate.not_valid_before_utc < NOW  # a phone's clock may be behind


def test_android_takes_the_authority() -> None:
    found = AUTHORITY.certificate.extensions
    constraints = found.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value.ca
    assert constraints.value.path_length == 0
    assert found.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert "Gaitway on pi" in AUTHORITY.certificate.subject.rfc4514_string()


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_verifies_it_by_the_authority(name: str) -> None:
    try:
        subject: x509.IPAddress | x509.DNSName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        subject = x509.DNSName(name)
    builder = PolicyBuilder().store(Store([AUTHORITY.certificate])).time(NOW)
    chain = builder.build_server_verifier(subject).verify(LEAF.certificate, [])
    assert chain == [LEAF.certificate, AUTHORITY.certificate]


@pytest.mark.parametrize(
    ("after", "good"),
    [(days(-2), False), (days(0), True), (days(365), True), (days(367), False), (days(9e3), False)],
)
def test_it_is_good_until_it_nears_its_end(after: timedelta, good: bool) -> None:
    assert certificates.is_good(LEAF, AUTHORITY, NAMES, NOW + after) is good


def test_it_is_good_for_its_names_and_from_its_authority_only() -> None:
    assert certificates.is_good(LEAF, AUTHORITY, NAMES[:1], NOW)
    assert not certificates.is_good(LEAF, AUTHORITY, [*NAMES, "10.0.0.9"], NOW)
    stranger = certificates.make_authority("pi", NOW)  # of the same name
    assert not certificates.is_good(LEAF, stranger, NAMES, NOW)


def test_it_does_not_outlive_the_authority() -> None:
    late = certificates.issue(AUTHORITY, NAMES, NOW + days(3600)).certificate
    assert late.not_valid_after_utc == AUTHORITY.certificate.not_valid_after_utc


def test_a_long_name_of_a_machine_is_cut() -> None:
    made = certificates.make_authority("m" * 64, NOW)
    assert f"CN=Gaitway on {'m' * 53}," in made.certificate.subject.rfc4514_string() + ","


def test_a_pair_is_read_as_it_was_written() -> None:
    assert Pair.read(LEAF.pem()).certificate == LEAF.certificate
    other = certificates.issue(AUTHORITY, NAMES, NOW)
    mixed = other.pem().partition(b"-----BEGIN CERT")[0] + certificates.public_pem(LEAF.certificate)
    for damaged in (b"", LEAF.pem()[:300], LEAF.pem()[-300:], mixed):
        with pytest.raises(ValueError, match=r"."):
            Pair.read(damaged)
