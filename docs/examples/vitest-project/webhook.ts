// The application's own webhook: hands on what Plivo signed, and refuses everything else.
import { createServer } from 'node:http';
import { validateV3Signature } from 'plivo';

export type Told = { compliance_id: string; status: string; rejection_reason?: string };

export function webhook(authToken: string, heard: (told: Told) => void) {
  return createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const told = JSON.parse(text);
    const url = `http://${request.headers.host}${request.url}`;
    const nonce = String(request.headers['x-plivo-signature-v3-nonce'] ?? '');
    const signature = String(request.headers['x-plivo-signature-v3'] ?? '');
    const genuine = nonce && validateV3Signature('POST', url, nonce, authToken, signature, told);
    if (genuine) heard(told);
    response.writeHead(genuine ? 200 : 403).end();
  });
}
