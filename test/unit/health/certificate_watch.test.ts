import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CertificateWatch, certificateFault, day, daysLeft } from "../../../src/health/certificate_watch.ts";
import type { Certificate } from "../../../src/probe.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 10, 12);

function certificate(more: Partial<Certificate> = {}): Certificate {
  return {
    subject: "a.test",
    names: ["a.test"],
    issuer: "CA one",
    notBefore: NOW - DAY,
    notAfter: NOW + 90 * DAY,
    fingerprint: "00",
    mismatch: undefined,
    untrusted: undefined,
    ...more,
  };
}

describe("what is told, and once", () => {
  test("nothing of a good one, nor of its renewal by the same authority", () => {
    const watch = new CertificateWatch(14 * DAY, "a.test");
    assert.deepEqual(watch.look(certificate(), NOW), []);
    assert.deepEqual(watch.look(certificate({ fingerprint: "11", notAfter: NOW + 180 * DAY }), NOW), []);
  });

  test("expiry: once a day, then that it has come", () => {
    const watch = new CertificateWatch(14 * DAY, "a.test");
    const seen = certificate({ notAfter: NOW + 2.5 * DAY });
    const at = (days: number): string[] => watch.look(seen, NOW + days * DAY);
    assert.deepEqual(at(-12), []);
    assert.deepEqual(at(-11.5), ["the certificate for a.test expires in 14 days (2026-01-13)"]);
    assert.deepEqual(at(0), ["the certificate for a.test expires in 2 days (2026-01-13)"]);
    assert.deepEqual(at(0.25), []);
    assert.deepEqual(at(1), ["the certificate for a.test expires in 1 day (2026-01-13)"]);
    assert.deepEqual(at(2), ["the certificate for a.test expires within a day (2026-01-13)"]);
    assert.deepEqual(at(2.4), []);
    assert.deepEqual(at(2.5), ["the certificate for a.test expired on 2026-01-13"]);
    assert.deepEqual(at(2.6), []);
    assert.deepEqual(watch.look(certificate({ notAfter: NOW + 90 * DAY }), NOW), []);
    assert.equal(watch.look(certificate({ notAfter: NOW + 14 * DAY }), NOW).length, 1);
  });

  test("another issuer, in the server's words, escaped", () => {
    const watch = new CertificateWatch(0, undefined);
    watch.look(certificate(), NOW);
    assert.deepEqual(watch.look(certificate({ issuer: 'Evil\n"CA"' }), NOW), [
      'the certificate now comes from "Evil\\x0a\\x22CA\\x22", before from "CA one"',
    ]);
    assert.deepEqual(watch.look(certificate({ issuer: 'Evil\n"CA"' }), NOW), []);
  });

  test("a name that does not fit, a chain that is not trusted", () => {
    const watch = new CertificateWatch(0, "a.test");
    const bad = certificate({ mismatch: "it is for b.test", untrusted: "SELF_SIGNED" });
    assert.deepEqual(watch.look(bad, NOW), [
      "the certificate does not fit a.test: it is for b.test",
      "the certificate for a.test is not trusted on this machine: SELF_SIGNED",
    ]);
    assert.deepEqual(watch.look(bad, NOW), []);
    assert.deepEqual(watch.look(certificate(), NOW), []);
    assert.equal(watch.look(bad, NOW).length, 2);
  });
});

test("what verify does not take", () => {
  assert.equal(certificateFault(certificate(), NOW), undefined);
  assert.equal(certificateFault(undefined, NOW), "the server showed no certificate");
  assert.equal(certificateFault(certificate({ notAfter: NOW }), NOW), "the certificate expired on 2026-01-10");
  assert.equal(
    certificateFault(certificate({ notBefore: NOW + DAY }), NOW),
    "the certificate is valid from 2026-01-11 only",
  );
  assert.equal(
    certificateFault(certificate({ notAfter: Number.NaN }), NOW),
    "the certificate expired on an unknown date",
  );
  assert.match(certificateFault(certificate({ mismatch: "it is for b" }), NOW)!, /does not fit: it is for b/);
  assert.match(certificateFault(certificate({ untrusted: "X" }), NOW)!, /not trusted: X/);
});

test("days are whole ones", () => {
  assert.equal(daysLeft(certificate({ notAfter: NOW + 1.9 * DAY }), NOW), 1);
  assert.equal(daysLeft(certificate({ notAfter: NOW - 1 }), NOW), -1);
  assert.equal(day(NOW), "2026-01-10");
});
