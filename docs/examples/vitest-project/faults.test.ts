import { expect, test } from 'vitest';
import { file } from './compliance.ts';
import { account } from './plivo-sim.ts';

test('a create that Plivo is too busy for is tried again', async () => {
  const sim = await account();
  await sim.fault({ effect: 'unavailable', operation: 'compliance.create', times: 2 });
  const id = await file(sim.client, 'Acme', sim.inbox);
  expect((await sim.applications()).map((each) => each.id)).toEqual([id]);
  const creates = (await sim.requests()).filter((each) => each.operation === 'compliance.create');
  expect(creates.map((each) => each.status)).toEqual([503, 503, 201]);
});

test('a cut connection is tried again, too', async () => {
  const sim = await account();
  await sim.fault({ effect: 'reset', applied: false, operation: 'compliance.create', times: 1 });
  const id = await file(sim.client, 'Acme', sim.inbox);
  expect((await sim.applications())[0].id).toBe(id);
});
