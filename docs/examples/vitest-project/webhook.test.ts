import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { file } from './compliance.ts';
import { account } from './plivo-sim.ts';
import { type Told, webhook } from './webhook.ts';

/** The application's webhook for as long as the test lasts: its URL, and what it heard. */
async function listening(token: string) {
  const heard: Told[] = [];
  const server = webhook(token, (told) => heard.push(told)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => { server.close(); });
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/compliance` };
}

test('the webhook hears what is signed', async () => {
  const sim = await account();
  const { heard, url } = await listening(sim.token);
  const id = await file(sim.client, 'Acme', url);
  await sim.decide(id, 'accepted');
  expect(heard).toEqual([{ compliance_id: id, status: 'accepted' }]);
});

test('the webhook refuses what somebody else signed', async () => {
  const sim = await account({ callback_retries: [] });
  const { heard, url } = await listening('another-token');
  await sim.decide(await file(sim.client, 'Acme', url), 'accepted');
  expect([heard, (await sim.webhooks())[0].attempts[0].status]).toEqual([[], 403]);
});
