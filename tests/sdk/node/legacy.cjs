'use strict';
// Every call that the Node SDK has for the legacy API.

const assert = require('node:assert/strict');
const { clientOf, decide, pdf, refusal, run, writeFiles } = require('./harness.cjs');

const client = clientOf();
const files = writeFiles({ 'certificate.pdf': pdf('certificate'), 'bill.pdf': pdf('bill') });
const FRANCE = { countryIso2: 'FR', numberType: 'local', endUserType: 'business' };
const BILL = { addressLine1: '1 rue de Rivoli', city: 'Paris', postalCode: '75001', country: 'FR' };

let count = 0;
/** Names of end users and aliases of documents are unique in an account. */
const unique = (word) => `${word} ${count += 1}`;

async function endUser(changes = {}) {
  const made = await client.endUsers.create({
    name: unique('Acme SARL'), endUserType: 'business', ...changes,
  });
  return made.endUserId;
}

/** The ids of the document types that France asks a business for. */
async function typesOfFrance() {
  const asked = await client.complianceRequirements.list(FRANCE);
  return asked.acceptableDocumentTypes.map((slot) => slot.acceptableDocuments[0].documentTypeId);
}

async function document(endUserId, documentTypeId, fields) {
  const made = await client.complianceDocuments.create({ endUserId, documentTypeId, ...fields });
  return made.documentId;
}

/** An end user and the two documents that France asks for, each with its file. */
async function papers() {
  const endUserId = await endUser();
  const [certificate, address] = await typesOfFrance();
  return {
    endUserId,
    documentIds: [
      await document(endUserId, certificate, {
        alias: unique('certificate'), businessName: 'Acme', file: files['certificate.pdf'],
      }),
      await document(endUserId, address, { alias: unique('bill'), ...BILL, file: files['bill.pdf'] }),
    ],
  };
}

async function application(changes = {}) {
  const made = await client.complianceApplications.create({
    alias: 'Paris office', ...FRANCE, ...(await papers()), ...changes,
  });
  return made.complianceApplicationId;
}

const statusOf = async (id) => (await client.complianceApplications.get(id)).status;

run({
  'end user: create': async () => {
    const made = await client.endUsers.create({ name: 'Acme SARL', endUserType: 'business' });
    assert.equal(made.name, 'Acme SARL');
    assert.equal(made.endUserType, 'business');
    assert.equal(made.message, 'created');
    assert.match(made.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  },

  'end user: get': async () => {
    const id = await endUser({ name: 'Jane', lastName: 'Doe', endUserType: 'individual' });
    const shown = await client.endUsers.get(id);
    assert.deepEqual([shown.endUserId, shown.name, shown.lastName, shown.endUserType], [
      id, 'Jane', 'Doe', 'individual',
    ]);
  },

  'end user: update': async () => {
    const id = await endUser();
    const done = await client.endUsers.update(id, { name: 'Acme SAS' });
    assert.equal(done.message, 'changed');
    assert.equal((await client.endUsers.get(id)).name, 'Acme SAS');
  },

  'end user: list with filters and pages': async () => {
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.push(await endUser({ name: 'Listed', lastName: `${n}` }));
    const first = await client.endUsers.list({ name: 'Listed', limit: 2, offset: 0 });
    assert.deepEqual(first.objects.map((each) => each.endUserId), ids.slice(0, 2));
    assert.equal(first.meta.totalCount, 3);
    const last = await client.endUsers.list({ name: 'Listed', limit: 2, offset: 2 });
    assert.deepEqual(last.objects.map((each) => each.endUserId), ids.slice(2));
    assert.equal(last.meta.next, null);
  },

  'end user: delete': async () => {
    const id = await endUser();
    assert.equal(await client.endUsers.delete(id), true);
    assert.equal((await refusal(client.endUsers.get(id))).status, 404);
  },

  'document type: list and get': async () => {
    const { objects } = await client.complianceDocumentTypes.list({ limit: 20 });
    const id = objects[0].documentTypeId;
    const shown = await client.complianceDocumentTypes.get(id);
    assert.equal(shown.documentTypeId, id);
    assert.equal(shown.documentName, objects[0].documentName);
    assert.ok(Array.isArray(shown.information));
  },

  'requirement: look-up and get': async () => {
    const asked = await client.complianceRequirements.list(FRANCE);
    assert.equal(asked.countryIso2, 'FR');
    assert.equal(asked.numberType, 'local');
    assert.equal(asked.endUserType, 'business');
    const shown = await client.complianceRequirements.get(asked.complianceRequirementId);
    assert.deepEqual(shown.acceptableDocumentTypes, asked.acceptableDocumentTypes);
  },

  'document: create with a file given as a path': async () => {
    const endUserId = await endUser();
    const [documentTypeId] = await typesOfFrance();
    const made = await client.complianceDocuments.create({
      endUserId, documentTypeId, alias: unique('certificate'), businessName: 'Acme',
      file: files['certificate.pdf'],
    });
    assert.equal(made.message, 'created');
    assert.equal(made.fileName, 'certificate.pdf');
    assert.deepEqual(made.metaInformation, { businessName: 'Acme' });
  },

  'document: create with a file given as a buffer': async () => {
    const [documentTypeId] = await typesOfFrance();
    const id = await document(await endUser(), documentTypeId, {
      alias: unique('certificate'), businessName: 'Acme', file: pdf('buffer'),
    });
    assert.ok((await client.complianceDocuments.get(id)).fileName);
  },

  'document: create without a file': async () => {
    const [documentTypeId] = await typesOfFrance();
    const id = await document(await endUser(), documentTypeId, {
      alias: unique('certificate'), businessName: 'Acme',
    });
    const shown = await client.complianceDocuments.get(id);
    assert.equal(shown.documentId, id);
    assert.equal(shown.fileName ?? null, null);
  },

  'document: update': async () => {
    const [documentTypeId] = await typesOfFrance();
    const id = await document(await endUser(), documentTypeId, {
      alias: unique('certificate'), businessName: 'Acme',
    });
    const done = await client.complianceDocuments.update(id, {
      alias: 'renamed', file: files['certificate.pdf'],
    });
    assert.equal(done.message, 'changed');
    const shown = await client.complianceDocuments.get(id);
    assert.deepEqual([shown.alias, shown.fileName], ['renamed', 'certificate.pdf']);
  },

  'document: list': async () => {
    const { endUserId, documentIds } = await papers();
    const found = await client.complianceDocuments.list({ endUserId });
    assert.deepEqual(found.objects.map((each) => each.documentId), documentIds);
  },

  'document: delete': async () => {
    const [documentTypeId] = await typesOfFrance();
    const id = await document(await endUser(), documentTypeId, {
      alias: unique('certificate'), businessName: 'Acme',
    });
    assert.equal(await client.complianceDocuments.delete(id), true);
    assert.equal((await refusal(client.complianceDocuments.get(id))).status, 404);
  },

  'application: create and get': async () => {
    const { endUserId, documentIds } = await papers();
    const made = await client.complianceApplications.create({
      alias: 'Paris office', endUserId, documentIds, ...FRANCE,
    });
    assert.equal(made.message, 'created');
    assert.equal(made.status, 'draft');
    const shown = await client.complianceApplications.get(made.complianceApplicationId);
    assert.equal(shown.endUserId, endUserId);
    assert.deepEqual(shown.documents.map((each) => each.documentId), documentIds);
  },

  'application: create by requirement id': async () => {
    const asked = await client.complianceRequirements.list(FRANCE);
    const made = await client.complianceApplications.create({
      alias: 'by id', complianceRequirementId: asked.complianceRequirementId, ...(await papers()),
    });
    assert.equal(made.countryIso2, 'FR');
    assert.equal(made.complianceRequirementId, asked.complianceRequirementId);
  },

  'application: update': async () => {
    const { endUserId, documentIds } = await papers();
    const id = await application({ endUserId, documentIds: documentIds.slice(0, 1) });
    const done = await client.complianceApplications.update(id, { documentIds });
    assert.equal(done.message, 'changed');
    const shown = await client.complianceApplications.get(id);
    assert.deepEqual(shown.documents.map((each) => each.documentId), documentIds);
  },

  'application: submit': async () => {
    const id = await application();
    const done = await client.complianceApplications.submit(id);
    assert.equal(done.complianceApplicationId, id);
    assert.equal(done.status, 'submitted');
    assert.equal(await statusOf(id), 'submitted');
  },

  'application: a rejection shows its reason': async () => {
    const id = await application();
    await client.complianceApplications.submit(id);
    await decide(id, 'rejected', 'Blurred scan');
    const shown = await client.complianceApplications.get(id);
    assert.deepEqual([shown.status, shown.rejectionReason], ['rejected', 'Blurred scan']);
  },

  'application: list': async () => {
    const { endUserId, documentIds } = await papers();
    const id = await application({ endUserId, documentIds });
    const found = await client.complianceApplications.list({ endUserId, status: 'draft' });
    assert.deepEqual(found.objects.map((each) => each.complianceApplicationId), [id]);
    const none = await client.complianceApplications.list({ endUserId, status: 'accepted' });
    assert.deepEqual(none.objects, []);
  },

  'application: delete': async () => {
    const id = await application();
    assert.equal(await client.complianceApplications.delete(id), true);
    assert.equal((await refusal(client.complianceApplications.get(id))).status, 404);
  },

  'an error of a JSON call carries status, sentence and id': async () => {
    const error = await refusal(client.endUsers.create({ endUserType: 'business' }));
    assert.equal(error.status, 400);
    assert.match(error.message, /'name' is required/);
    assert.match(error.apiID, /^[0-9a-f]{8}-[0-9a-f]{4}-1/);
  },

  'an error of a multipart call carries status, sentence and id': async () => {
    const error = await refusal(client.complianceDocuments.create({
      endUserId: await endUser(), documentTypeId: 'none', alias: 'x',
    }));
    assert.equal(error.status, 400);
    assert.match(error.message, /document_type_id|[Dd]ocument type/);
  },
});
