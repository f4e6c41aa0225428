// A client on Node's own fetch, no package at all: FormData, and a Blob for the part `data`.
// Prints what it read from each answer, one JSON object a line; waits for a line of input where
// time has to pass.

import { createInterface } from 'node:readline';

const account = 'MAXXXXXXXXXXXXXXXXXX';
const home = `${process.env.PLIVO_SIM_URL}/v1/Account/${account}/PhoneNumber/Compliance/`;
const authorization = `Basic ${btoa(`${account}:my_auth_token`)}`;
const pdf = `%PDF-1.4\n% a certificate\n%%EOF\n`;

async function call(method, path, body) {
  const signal = AbortSignal.timeout(60_000);
  const answer = await fetch(home + path, { method, body, headers: { authorization }, signal });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${answer.status}: ${told.error}`);
  return told;
}

function form(data, names) {
  const made = new FormData();
  made.append('data', new Blob([JSON.stringify(data)], { type: 'application/json' }));
  names.forEach((name, index) => {
    made.append(`documents[${index}].file`, new Blob([pdf, name], { type: 'application/pdf' }), name);
  });
  return made;
}

const tell = (told) => console.log(JSON.stringify(told));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const reviewed = async () => {
  tell({ waits: true });
  await lines.next();
};

const place = 'country_iso=IN&number_type=local&user_type=business';
const asked = await call('GET', `Requirements/?${place}`);
const documents = asked.document_types.map((type) => ({
  document_type_id: type.document_type_id,
  data_fields: Object.fromEntries(type.required_fields.map((field) => [field.field_name, 'Acme'])),
}));
const application = {
  country_iso: 'IN',
  number_type: 'local',
  alias: 'fetch',
  end_user: { type: 'business', name: 'Acme', address_line1: '12 MG Road', country: 'IN' },
  documents,
};

const { compliance_id: id } = await call('POST', '', form(application, ['coi.pdf', 'gst.pdf']));
const status = async () => (await call('GET', `${id}/?expand=documents`)).compliance;
tell({ status: (await status()).status });

await reviewed();
const rejected = await status();
tell({ status: rejected.status, reason: rejected.rejection_reason });

await call('PATCH', `${id}/`, form({ documents }, ['coi again.pdf', 'gst.pdf']));
await reviewed();
const accepted = await status();
tell({ status: accepted.status, files: accepted.documents.map((each) => each.file_name) });

const { compliances } = await call('GET', '?status=accepted');
tell({ accepted: compliances.map((each) => each.compliance_id === id) });

const refused = await call('PATCH', `${id}/`, form({ documents }, ['coi.pdf', 'gst.pdf'])).catch(String);
tell({ refused });
process.exit();
