'use strict';
// What the drivers share: the SDK's client, control calls, and checks that print one JSON line each.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const plivo = require('plivo');

const url = process.env.PLIVO_SIM_URL;
const account = 'MAXXXXXXXXXXXXXXXXXX';
const token = 'my_auth_token';

function clientOf(authToken = token, authId = account) {
  return new plivo.Client(authId, authToken, { url: `${url}/v1/Account/${account}` });
}

async function control(method, target, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { 'Content-Type': 'application/json' };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(`${url}/_sim${target}`, options);
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${target}: ${answer.status} ${told.detail}`);
  return told;
}

const decide = (id, status, reason) =>
  control('POST', `/applications/${id}/decision`, { status, reason });

/** What the SDK rejects with; an error if it does not. */
async function refusal(promise) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`was not refused, but answered ${JSON.stringify(answer)}`);
}

/** Files in a folder that goes when the process does; returns their paths. */
function writeFiles(contents) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'plivo-sim-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true }));
  return Object.fromEntries(
    Object.entries(contents).map(([name, content]) => {
      const target = path.join(folder, name);
      fs.writeFileSync(target, content);
      return [name, target];
    }),
  );
}

const pdf = (text) => Buffer.from(`%PDF-1.4\n% ${text}\n%%EOF\n`);

/** Runs every check in turn; exits with 1 when one fails. */
async function run(checks) {
  if (!url) throw new Error('set PLIVO_SIM_URL to the URL of a running simulator');
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    const line = { check: name, ok: true };
    try {
      await check();
    } catch (error) {
      failed += 1;
      line.ok = false;
      line.message = String((error && error.stack) || error);
    }
    console.log(JSON.stringify(line));
  }
  console.log(JSON.stringify({ checks: Object.keys(checks).length, failed }));
  process.exit(failed ? 1 : 0);
}

module.exports = {
  account, clientOf, control, decide, pdf, plivo, refusal, run, token, url, writeFiles,
};
