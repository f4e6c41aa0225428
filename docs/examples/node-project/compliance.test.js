'use strict';
// plivo for Node 4.79.0: run
//
//   npm install && plivo-sim run --paused -- npm test

const assert = require('node:assert/strict');
const test = require('node:test');
const plivo = require('plivo');
const { webhook } = require('./webhook');

const { PLIVO_SIM_URL, PLIVO_SIM_API, PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN } = process.env;
const client = new plivo.Client(PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN, {
  url: `${PLIVO_SIM_API}/${PLIVO_AUTH_ID}`,
});
const scan = (text) => Buffer.from(`%PDF-1.4\n% ${text}\n%%EOF\n`);

/** A call to the simulator itself: its clock, its reviewer. */
async function control(path, body) {
  const answer = await fetch(`${PLIVO_SIM_URL}/_sim${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  assert.ok(answer.ok, told.detail);
  return told;
}

/** The application's webhook for as long as a test lasts: its URL, and what it heard. */
async function listening(t) {
  const heard = [];
  const server = webhook(PLIVO_AUTH_TOKEN, (body) => heard.push(body));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  return { heard, url: `http://127.0.0.1:${server.address().port}/compliance` };
}

test('rejected, corrected, accepted, and the webhook hears of it', async (t) => {
  const { heard, url } = await listening(t);
  const api = client.phoneNumberCompliance;
  const { documentTypes } = await client.phoneNumberComplianceRequirements.get({
    countryIso: 'IN', numberType: 'local', userType: 'business',
  });
  const [certificate, gst] = documentTypes.map((type) => type.documentTypeId);
  const documents = [
    { document_type_id: certificate, data_fields: { business_name: 'Acme Traders' } },
    { document_type_id: gst },
  ];
  const files = [{ file: scan('certificate') }, { file: scan('gst') }];
  const { complianceId } = await api.create({
    data: {
      country_iso: 'IN',
      number_type: 'local',
      alias: 'Acme, Mumbai office',
      end_user: { type: 'business', name: 'Acme Traders Pvt. Ltd.', country: 'IN' },
      documents,
      callback_url: url,
    },
    documents: files,
  });

  await control(`/applications/${complianceId}/decision`, {
    status: 'rejected', reason: 'Name mismatch',
  });
  assert.equal((await api.get(complianceId)).rejectionReason, 'Name mismatch');

  await api.update(complianceId, {  // it replaces all documents
    data: { end_user: { name: 'Acme Traders' }, documents }, documents: files,
  });
  await control('/clock/advance', { by: '3 business days' });
  assert.equal((await api.get(complianceId)).status, 'accepted');

  assert.deepEqual(heard, [
    { compliance_id: complianceId, status: 'rejected', rejection_reason: 'Name mismatch' },
    { compliance_id: complianceId, status: 'accepted' },
  ]);
});

test('the webhook refuses what Plivo did not sign', async (t) => {
  const { heard, url } = await listening(t);
  const body = JSON.stringify({ compliance_id: 'any', status: 'accepted' });
  const headers = {
    'X-Plivo-Signature-V3': 'c2lnbmVkIGJ5IHNvbWVib2R5IGVsc2U=',
    'X-Plivo-Signature-V3-Nonce': '12345678901234567890',
  };
  for (const sent of [{}, headers]) {
    const answer = await fetch(url, { method: 'POST', body, headers: sent });
    assert.equal(answer.status, 403);
  }
  assert.deepEqual(heard, []);
});
