// The application: it files what an American local number needs, and tries again when Plivo is busy.
import type { Client } from 'plivo';

/** A connection that was cut is a text; what Plivo has no time for says so in its message alone. */
const isPassing = (error: unknown) =>
  typeof error === 'string' || /status code (429|503)/.test(String(error));

export async function file(client: Client, name: string, callback: string, tries = 3): Promise<string> {
  const data = {
    country_iso: 'US', number_type: 'local', alias: `${name}, Boston office`,
    end_user: { type: 'business', name }, callback_url: callback,
  };
  try {
    const made: any = await client.phoneNumberCompliance.create({ data });  // which it changes
    return made.complianceId;
  } catch (error) {
    if (tries > 1 && isPassing(error)) return file(client, name, callback, tries - 1);
    throw error;
  }
}
