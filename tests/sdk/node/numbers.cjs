'use strict';
// Every call that the Node SDK has for numbers, and Link.

const assert = require('node:assert/strict');
const { clientOf, decide, pdf, refusal, run, token, writeFiles } = require('./harness.cjs');

const client = clientOf();
const files = writeFiles({ 'certificate.pdf': pdf('certificate'), 'gst.pdf': pdf('gst') });
const REQUIRED = 'compliance_application_id is required to rent this number. '
  + 'Refer to https://www.plivo.com/docs/numbers/rent-india-numbers for details.';
const NOT_RENTED = 'Number not found on your account. Only rented numbers can be linked.';
const SUBACCOUNT = 'SAXXXXXXXXXXXXXXXXXX';

/** An application for local Indian numbers; accepted, unless told otherwise. */
async function application(status = 'accepted') {
  const asked = await client.phoneNumberComplianceRequirements.get({
    countryIso: 'IN', numberType: 'local', userType: 'business',
  });
  const made = await client.phoneNumberCompliance.create({
    data: {
      country_iso: 'IN',
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
    },
    documents: [{ file: files['certificate.pdf'] }, { file: files['gst.pdf'] }],
  });
  if (status !== 'submitted') await decide(made.complianceId, status);
  return made.complianceId;
}

async function found(country = 'IN', type = 'local') {
  const offers = await client.numbers.search(country, { type, limit: 1 });
  return offers[0].number;
}

/** A number that was rented with this application. */
async function rented(id) {
  const number = await found();
  await client.numbers.buy(number, undefined, undefined, undefined, id);
  return number;
}

async function linkOf(number) {
  const shown = await client.numbers.get(number);
  return [shown.complianceApplicationId, shown.complianceStatus];
}

run({
  'search with filters': async () => {
    const offers = await client.numbers.search('IN', {
      type: 'local', pattern: '80', city: 'Bangalore', region: 'Karnataka', services: 'voice',
      limit: 5, offset: 5,
    });
    assert.equal(offers.length, 5);
    for (const offer of offers) {
      assert.match(offer.number, /^9180/);
      assert.equal(offer.type, 'fixed');
      assert.equal(offer.voiceEnabled, true);
      assert.equal(offer.restriction, 'country-address');
      assert.match(offer.complianceRequirement.business, /ComplianceRequirement/);
    }
  },

  'buy without an application': async () => {
    const error = await refusal(client.numbers.buy(await found()));
    assert.equal(error.status, 400);
    assert.equal(error.message, REQUIRED);
  },

  'buy with an application in review': async () => {
    const id = await application('submitted');
    const error = await refusal(rented(id));
    assert.equal(error.status, 400);
    assert.equal(
      error.message,
      "Compliance application must be in 'accepted' status. Current status: 'submitted'.",
    );
  },

  'buy, get': async () => {
    const id = await application();
    const number = await found();
    const bought = await client.numbers.buy(number, '7', undefined, true, id);
    assert.equal(bought.message, 'created');
    assert.equal(bought.status, 'fulfilled');
    assert.equal(bought.statusCode, 201);
    assert.deepEqual({ ...bought.numbers[0] }, { number, status: 'Success' });
    assert.deepEqual(await linkOf(number), [id, 'accepted']);
    const shown = await client.numbers.get(number);
    assert.match(shown.application, /Application\/7\/$/);
    assert.equal(shown.voiceEnabled, true);
    const again = await refusal(client.numbers.buy(number, '7', undefined, true, id));
    assert.match(again.message, /already rented/);
  },

  'buy an unregulated number': async () => {
    const number = await found('US');
    assert.equal((await client.numbers.buy(number)).status, 'fulfilled');
    assert.deepEqual(await linkOf(number), [null, null]);
  },

  'list with filters': async () => {
    const number = await rented(await application());
    await client.numbers.update(number, { alias: 'listed' });
    const listed = await client.numbers.list({ alias: 'listed', type: 'local', limit: 20 });
    assert.deepEqual(listed.map((each) => each.number), [number]);
    assert.deepEqual(await client.numbers.list({ alias: 'nobody' }).then((l) => l.length), 0);
  },

  'update links, moves and unlinks': async () => {
    const [first, second] = [await application(), await application()];
    const number = await rented(first);
    const done = await client.numbers.update(number, { complianceApplicationId: second });
    assert.equal(done.message, 'changed');
    assert.deepEqual(await linkOf(number), [second, 'accepted']);
    await client.numbers.update(number, { complianceApplicationId: '' });
    assert.deepEqual(await linkOf(number), [null, null]);
    await client.numbers.update(number, { complianceId: first, alias: 'not linked' });
    assert.deepEqual(await linkOf(number), [null, null]);
    assert.equal((await client.numbers.get(number)).alias, 'not linked');
  },

  'update refused is a string': async () => {
    const number = await found('US');
    await client.numbers.buy(number);
    const id = await application();
    const error = await refusal(client.numbers.update(number, { complianceApplicationId: id }));
    assert.equal(error.status, 400);
    assert.match(error.message, /^Number country doesn't match compliance country /);
  },

  'link in bulk': async () => {
    const id = await application();
    const number = await rented(id);
    await client.numbers.update(number, { complianceApplicationId: '' });
    const done = await client.phoneNumberComplianceLink.link({
      numbers: [
        { number: `+${number}`, compliance_application_id: id },
        { number: '+912248885513', compliance_application_id: id },
      ],
    });
    assert.equal(done.totalCount, 2);
    assert.equal(done.updatedCount, 1);
    assert.deepEqual(done.report.map((each) => [each.number, each.status, each.remarks]), [
      [`+${number}`, 'success', 'Number linked to compliance application.'],
      ['+912248885513', 'failed', NOT_RENTED],
    ]);
    assert.deepEqual(await linkOf(number), [id, 'accepted']);
    const shown = await client.phoneNumberCompliance.get(id, { expand: 'linked_numbers' });
    assert.deepEqual(shown.linkedNumbers.map((each) => each.number), [`+${number}`]);
  },

  "link as the SDK's own test does": async () => {
    const id = await application();
    const number = await rented(id);
    const done = await client.phoneNumberComplianceLink.link({
      complianceId: id, phoneNumber: `+${number}`,
    });
    assert.equal(done.updatedCount, 1);
  },

  'link nothing': async () => {
    const done = await client.phoneNumberComplianceLink.link({ numbers: [] });
    assert.deepEqual([done.totalCount, done.updatedCount, done.report.length], [0, 0, 0]);
  },

  'link with a body of another shape': async () => {
    const error = await refusal(client.phoneNumberComplianceLink.link({}));
    assert.equal(error.status, 400);
    assert.equal(error.message, "Field 'numbers' is required.");
  },

  'a suspended application shows': async () => {
    const id = await application();
    const number = await rented(id);
    await decide(id, 'suspended', 'Complaints');
    assert.deepEqual(await linkOf(number), [id, 'suspended']);
  },

  'unrent': async () => {
    const number = await rented(await application());
    assert.equal(await client.numbers.unrent(number), true);
    const error = await refusal(client.numbers.get(number));
    assert.equal(error.status, 404);
    assert.equal(error.message, 'Number not found.');
    assert.equal((await refusal(client.numbers.unrent(number))).status, 404);
    assert.equal(await found(), number);
  },

  'a subaccount': async () => {
    const number = await rented(await application());
    await client.numbers.update(number, { subAccount: SUBACCOUNT });
    assert.equal((await client.numbers.get(number)).subAccount, SUBACCOUNT);
    const listed = await client.numbers.list({ subAccount: SUBACCOUNT });
    assert.deepEqual(listed.map((each) => each.number), [number]);
    const stranger = clientOf(token, SUBACCOUNT);
    assert.equal((await refusal(stranger.numbers.get(number))).status, 401);
  },
});
