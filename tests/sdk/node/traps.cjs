'use strict';
// What docs/sdks.md warns of: where the SDK does otherwise than one thinks.

const assert = require('node:assert/strict');
const { account, clientOf, control, refusal, run } = require('./harness.cjs');

const client = clientOf();
const create = () => client.phoneNumberCompliance.create({ data: dataOf() });

let made = 0;
function dataOf() {
  made += 1;
  const end_user = { type: 'business', name: 'Acme' };
  return { country_iso: 'US', number_type: 'local', alias: `Acme ${made}`, end_user };
}

/** What a create is rejected with while this fault is on. */
async function struck(fault) {
  const operation = 'compliance.create';
  await control('POST', `/faults?account=${account}`, { ...fault, operation });
  try {
    return await refusal(create());
  } finally {
    await control('DELETE', `/faults?account=${account}`);
  }
}

run({
  'a create changes its argument': async () => {
    const documents = [];
    const params = { data: dataOf(), documents };
    await client.phoneNumberCompliance.create(params);
    assert.equal(typeof params.data, 'string');
    assert.deepEqual(Object.keys(params).sort(), ['data', 'multipart']);
  },

  'busy answers have their status in the message alone': async () => {
    for (const [fault, status] of [
      [{ effect: 'unavailable' }, 503], [{ effect: 'rate_limited' }, 429],
      [{ effect: 'error', status: 409 }, 409],
    ]) {
      const error = await struck(fault);
      assert.equal(error.constructor, Error);
      assert.equal(error.status, undefined);
      assert.equal(error.message, `AxiosError: Request failed with status code ${status}`);
    }
  },

  'others have it': async () => {
    for (const status of [400, 401, 404, 500]) {
      const error = await struck({ effect: 'error', status });
      assert.equal(error.status, status);
    }
  },

  'a cut connection rejects with a text': async () => {
    for (const effect of ['reset', 'empty', 'truncated']) {
      const error = await struck({ effect });
      assert.equal(typeof error, 'string');
      assert.match(error, /ECONNRESET|socket hang up|aborted/);
    }
  },

  'an answer that is no JSON resolves to a record without fields': async () => {
    const operation = 'compliance.create';
    await control('POST', `/faults?account=${account}`, { effect: 'invalid_json', operation });
    const answer = await create();
    await control('DELETE', `/faults?account=${account}`);
    assert.equal(answer.complianceId, undefined);
  },
});
