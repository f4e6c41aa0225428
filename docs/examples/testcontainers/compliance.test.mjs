// npm install testcontainers plivo; docker build -t plivo-sim . in plivo-sim's checkout; node --test
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import plivo from "plivo";
import { GenericContainer, Wait } from "testcontainers";

const authId = "MAXXXXXXXXXXXXXXXXXX";
let container, client;

before(async () => {
  container = await new GenericContainer(process.env.PLIVO_SIM_IMAGE ?? "plivo-sim")
    .withExposedPorts(8700)
    .withEnvironment({ PLIVO_SIM_PAUSED: "1" })
    .withWaitStrategy(Wait.forHttp("/_sim/health/ready", 8700))
    .start();
  const url = `http://${container.getHost()}:${container.getMappedPort(8700)}/v1/Account/${authId}`;
  client = new plivo.Client(authId, "token", { url });
});

after(() => container?.stop());

test("nothing yet", async () => {
  const found = await client.phoneNumberCompliance.list();
  assert.equal(found.meta.totalCount, 0);
});
