import assert from "node:assert/strict";
import { test } from "node:test";
import { checkNames } from "../../../src/names/check_names.ts";

const failing = (code: string) => Promise.reject({ code, message: code });

test("says which name does not resolve, where it stands, and who says so", async () => {
  const server = (name: string, service = false) => ({ name, place: `routes.${name}`, service });
  const faults = await checkNames(
    [
      server("good"),
      server("ENOTFOUND"),
      server("ETIMEOUT"),
      server("ESERVFAIL"),
      server("ECANCELLED"),
      server("srv", true),
    ],
    {
      lookUp: (name) => (name === "good" ? Promise.resolve({ value: [], freshUntil: 0 }) : failing(name)),
      lookUpService: () => failing("ENOTFOUND"),
    },
  );
  assert.deepEqual(faults, [
    {
      message: "Cannot resolve ENOTFOUND (routes.ENOTFOUND): there is no such name, or it has no address",
      final: true,
    },
    { message: "Cannot resolve ETIMEOUT (routes.ETIMEOUT): the resolver did not answer", final: false },
    { message: "Cannot resolve ESERVFAIL (routes.ESERVFAIL): the resolver could not say (ESERVFAIL)", final: false },
    { message: "Cannot resolve srv (routes.srv): there is no such name, or it has no SRV record", final: true },
  ]);
});
