import { expect, test } from 'vitest';
import { file } from './compliance.ts';
import { account } from './plivo-sim.ts';

test('rejected, corrected, accepted', async () => {
  const sim = await account({ review_delay: 'documented' });
  const id = await file(sim.client, 'Acme', sim.inbox);
  await sim.decide(id, 'rejected', 'name_mismatch');
  expect((await sim.callback('rejected')).payload.rejection_reason).toMatch(/not identical/);

  await sim.client.phoneNumberCompliance.update(id, { data: { end_user: { name: 'Acme Inc.' } } });
  const { happenings } = await sim.advanceUntil(id, 'accepted');
  expect(happenings.map((each) => each.to ?? each.state)).toEqual(['accepted', 'delivered']);
});

test('another account knows nothing of it', async () => {
  const sim = await account();
  expect(await sim.applications()).toEqual([]);
});
