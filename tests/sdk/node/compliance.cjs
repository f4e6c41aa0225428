'use strict';
// Every phoneNumberCompliance* call of the Node SDK, what it takes for a file, and numbers.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const {
  account, clientOf, control, decide, pdf, plivo, refusal, run, token, url, writeFiles,
} = require('./harness.cjs');

const client = clientOf();
const api = client.phoneNumberCompliance;
const files = writeFiles({
  'certificate.pdf': pdf('certificate'),
  'gst.pdf': pdf('gst'),
  'Žluťoučký "kůň".pdf': pdf('other'),
});

const requirement = (countryIso) =>
  client.phoneNumberComplianceRequirements.get({
    countryIso, numberType: 'local', userType: 'business',
  });

/** A complete `data` for a local number of a business. */
async function dataOf(countryIso = 'IN', changes = {}) {
  const asked = await requirement(countryIso);
  return {
    country_iso: countryIso,
    number_type: 'local',
    alias: 'Acme Mumbai',
    end_user: {
      type: 'business', name: 'Acme Traders Pvt Ltd', email: 'a@b.example',
      address_line1: '12 MG Road', city: 'Mumbai', state: 'Maharashtra',
      postal_code: '400001', country: 'IN',
    },
    documents: asked.documentTypes.map((type) => ({
      document_type_id: type.documentTypeId,
      data_fields: Object.fromEntries(type.requiredFields.map((f) => [f.fieldName, 'Acme'])),
    })),
    ...changes,
  };
}

async function created(changes = {}, countryIso = 'IN') {
  const wanted = {
    IN: [{ file: files['certificate.pdf'] }, { file: files['gst.pdf'] }],
    AE: [{ file: files['certificate.pdf'] }],
  }[countryIso];
  const made = await api.create({ data: await dataOf(countryIso, changes), documents: wanted });
  return made.complianceId;
}

async function namesOf(id) {
  const shown = await api.get(id, { expand: 'documents' });
  return shown.documents.map((each) => each.fileName);
}

/** Creates one with these two files, and returns the names under which they were kept. */
async function keptNames(first, second) {
  const documents = [{ file: first }, { file: second }];
  const made = await api.create({ data: await dataOf(), documents });
  return namesOf(made.complianceId);
}

/** The one callback in this inbox; the SDK's own validators must accept it. */
async function checkedCallback(inbox, paramsOf) {
  const { messages } = await control('GET', `/inbox/${inbox}/messages`);
  assert.equal(messages.length, 1);
  const [got] = messages;
  const nonce = got.headers['X-Plivo-Signature-V3-Nonce'];
  const signature = got.headers['X-Plivo-Signature-V3'];
  const v3 = (key) =>
    plivo.validateV3Signature(got.method, got.url, nonce, key, signature, paramsOf(got));
  assert.equal(v3(token), true, 'V3');
  assert.equal(v3('other'), false, 'V3 with another token');
  const v2 = (key) => plivo.validateSignature(
    got.url, got.headers['X-Plivo-Signature-V2-Nonce'], got.headers['X-Plivo-Signature-V2'], key,
  );
  assert.equal(v2(token), true, 'V2');
  assert.equal(v2('other'), false, 'V2 with another token');
  return got;
}

run({
  'requirements name the document types': async () => {
    const asked = await requirement('IN');
    assert.deepEqual(asked.documentTypes.map((type) => type.name), [
      'Registration Certificate', 'GST certificate',
    ]);
    assert.equal(asked.documentTypes[0].requiredFields[0].fieldName, 'business_name');
    assert.equal(asked.documentTypes[0].proofRequired, true);
  },

  'create with files given as paths': async () => {
    const documents = [{ file: files['certificate.pdf'] }, { file: files['gst.pdf'] }];
    const made = await api.create({ data: await dataOf(), documents });
    assert.deepEqual(Object.keys(made).sort(), ['apiId', 'complianceId', 'message']);
    assert.equal(made.message, 'Compliance application created and submitted for review.');
    assert.deepEqual(await namesOf(made.complianceId), ['certificate.pdf', 'gst.pdf']);
  },

  'create with files given as streams': async () => {
    const names = await keptNames(
      fs.createReadStream(files['certificate.pdf']), fs.createReadStream(files['gst.pdf']),
    );
    assert.deepEqual(names, ['certificate.pdf', 'gst.pdf']);
  },

  'create with files given as buffers, which have no name': async () => {
    const names = await keptNames(pdf('one'), pdf('two'));
    assert.deepEqual(names, ['documents[0].file', 'documents[1].file']);
  },

  'create with a file name that is neither ASCII nor free of quotes': async () => {
    const names = await keptNames(files['Žluťoučký "kůň".pdf'], files['gst.pdf']);
    assert.equal(names[0], 'Žluťoučký "kůň".pdf');
  },

  'create without files': async () => {
    const shown = await api.get(await created({}, 'US'));
    assert.equal(shown.status, 'submitted');
  },

  'create without data': async () => {
    const error = await refusal(api.create({ alias: 'x', countryIso: 'IN', userType: 'business' }));
    assert.equal(error.status, 400);
    assert.match(error.message, /^Field 'data' is required/);
  },

  'get': async () => {
    const id = await created({ callback_url: 'http://127.0.0.1:9/cb' });
    const shown = await api.get(id);
    assert.equal(shown.complianceId, id);
    assert.equal(shown.status, 'submitted');
    assert.equal(shown.callbackUrl, 'http://127.0.0.1:9/cb');
    assert.equal(shown.callbackMethod, 'POST');
    assert.equal(shown.endUser, undefined);
    assert.equal(shown.rejectionReason, undefined);
  },

  'get with expand': async () => {
    const shown = await api.get(await created(), { expand: 'end_user,documents,linked_numbers' });
    assert.equal(shown.endUser.name, 'Acme Traders Pvt Ltd');
    assert.equal(shown.endUser.addressLine1, '12 MG Road');
    assert.deepEqual(shown.documents.map((each) => each.documentName), [
      'Registration Certificate', 'GST certificate',
    ]);
    assert.deepEqual(shown.linkedNumbers, []);
  },

  'a download gives back what was uploaded': async () => {
    const shown = await api.get(await created(), { expand: 'documents' });
    const basic = Buffer.from(`${account}:${token}`).toString('base64');
    const answer = await fetch(shown.documents[0].downloadUrl, {
      headers: { Authorization: `Basic ${basic}` },
    });
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), pdf('certificate'));
  },

  'list with filters': async () => {
    const id = await created({ alias: 'filtered' });
    await decide(id, 'rejected', 'Blurred scan');
    const ids = async (params) => {
      const found = await api.list(params);
      return found.compliances.map((each) => each.complianceId);
    };
    assert.deepEqual(await ids({ alias: 'filtered' }), [id]);
    assert.deepEqual(await ids({ alias: 'filtered', status: 'rejected' }), [id]);
    assert.deepEqual(await ids({ alias: 'filtered', status: 'accepted' }), []);
    assert.deepEqual(await ids({ alias: 'filtered', countryIso: 'US' }), []);
    assert.deepEqual(await ids({ alias: 'filtered', userType: 'individual' }), []);
    assert.deepEqual(await ids({ alias: 'filtered', numberType: 'local' }), [id]);
  },

  'list by pages': async () => {
    const made = [];
    for (let n = 0; n < 3; n += 1) made.push(await created({ alias: 'paged' }, 'US'));
    const first = await api.list({ alias: 'paged', limit: 2, offset: 0 });
    assert.deepEqual(first.compliances.map((each) => each.complianceId), made.slice(0, 2));
    assert.equal(first.meta.totalCount, 3);
    assert.match(first.meta.next, /\?limit=2&offset=2&alias=paged$/);
    const last = await api.list({ alias: 'paged', limit: 2, offset: 2 });
    assert.deepEqual(last.compliances.map((each) => each.complianceId), made.slice(2));
    assert.equal(last.meta.next, null);
  },

  'list with expand': async () => {
    await created({ alias: 'expanded' });
    const found = await api.list({ alias: 'expanded', expand: 'documents,end_user' });
    assert.equal(found.compliances[0].documents.length, 2);
    assert.equal(found.compliances[0].endUser.city, 'Mumbai');
  },

  'update with data only keeps the documents': async () => {
    const id = await created();
    await decide(id, 'rejected', 'Blurred scan');
    assert.equal((await api.get(id)).rejectionReason, 'Blurred scan');
    const done = await api.update(id, { data: { alias: 'corrected' } });
    assert.equal(done.message, 'Compliance application updated and resubmitted for review.');
    assert.equal(done.compliance.alias, 'corrected');
    assert.equal(done.compliance.status, 'submitted');
    assert.deepEqual(await namesOf(id), ['certificate.pdf', 'gst.pdf']);
  },

  'update with one file, for the second of two documents': async () => {
    const id = await created({}, 'AE');
    await decide(id, 'rejected', 'Blurred scan');
    const documents = (await dataOf('AE')).documents.reverse();
    await api.update(id, { data: { documents }, documents: [{}, { file: files['gst.pdf'] }] });
    assert.deepEqual(await namesOf(id), [null, 'gst.pdf']);
  },

  'delete': async () => {
    const id = await created();
    assert.equal(await api.delete(id), true);
    const error = await refusal(api.get(id));
    assert.equal(error.status, 404);
    assert.equal(error.message, 'Compliance application not found.');
  },

  'rent a number and link it to another application': async () => {
    const [first, second] = [await created(), await created({ alias: 'other' })];
    await decide(first, 'accepted');
    await decide(second, 'accepted');
    const [offer] = await client.numbers.search('IN', { type: 'local', limit: 1 });
    const rented = await client.numbers.buy(offer.number, undefined, undefined, undefined, first);
    assert.equal(rented.numbers[0].status, 'Success');
    assert.equal((await client.numbers.get(offer.number)).complianceApplicationId, first);
    const told = await client.phoneNumberComplianceLink.link({
      numbers: [{ number: `+${offer.number}`, compliance_application_id: second }],
    });
    assert.deepEqual([told.totalCount, told.updatedCount], [1, 1]);
    assert.equal(told.report[0].status, 'success');
    const shown = await api.get(second, { expand: 'linked_numbers' });
    assert.deepEqual(shown.linkedNumbers, [{ number: `+${offer.number}`, numberType: 'local' }]);
    await client.numbers.update(offer.number, { complianceApplicationId: first });
    assert.equal((await client.numbers.get(offer.number)).complianceApplicationId, first);
    assert.equal(await client.numbers.unrent(offer.number), true);
  },

  'an error of a multipart call carries status, sentence and id': async () => {
    const error = await refusal(api.create({ data: await dataOf() }));
    assert.equal(error.status, 400);
    assert.match(error.message, /^documents\[0\]\.file: a file is required .*; documents\[1\]/);
    assert.match(error.apiID, /^[0-9a-f]{8}-[0-9a-f]{4}-1/);
  },

  'an error of a JSON call carries status, sentence and id': async () => {
    const error = await refusal(client.phoneNumberComplianceRequirements.get({ countryIso: 'IN' }));
    assert.equal(error.status, 400);
    assert.equal(
      error.message, "Field 'number_type' is required. Field 'user_type' is required.",
    );
    assert.match(error.apiID, /^[0-9a-f]{8}-[0-9a-f]{4}-1/);
  },

  'a wrong status is a 400, whose text the SDK keeps': async () => {
    const error = await refusal(api.update(await created(), { data: { alias: 'x' } }));
    assert.equal(error.status, 400);
    assert.equal(error.message, "Compliance application must be in 'rejected' status");
  },

  'wrong credentials': async () => {
    const error = await refusal(clientOf(token, 'MA').phoneNumberCompliance.list());
    assert.equal(error.status, 401);
    assert.match(error.message, /auth id must be MA or SA/);
  },

  'a POST callback passes the SDK\'s validators': async () => {
    const id = await created({ callback_url: `${url}/_sim/inbox/posted?z=1&a=b` });
    await decide(id, 'rejected', 'Blurred scan');
    const got = await checkedCallback('posted', (message) => JSON.parse(message.body));
    assert.deepEqual(JSON.parse(got.body), {
      compliance_id: id, status: 'rejected', rejection_reason: 'Blurred scan',
    });
  },

  'a GET callback passes the SDK\'s validators': async () => {
    const id = await created({
      callback_url: `${url}/_sim/inbox/gotten?z=1`, callback_method: 'GET',
    });
    await decide(id, 'accepted');
    const got = await checkedCallback('gotten', () => ({}));
    assert.deepEqual(got.query, { z: '1', compliance_id: id, status: 'accepted' });
  },
});
