import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { file } from './compliance.ts';
import { account, start } from './plivo-sim.ts';

test('an application outlives the server that took it', { timeout: 30_000 }, async () => {
  const server = await start('--state', mkdtempSync(join(tmpdir(), 'state-')));
  onTestFinished(server.stop);
  const sim = await account({}, server.url);
  const id = await file(sim.client, 'Acme', sim.inbox);
  await server.restart();
  await sim.decide(id, 'accepted');
  expect((await sim.callback('accepted')).application).toBe(id);
});
