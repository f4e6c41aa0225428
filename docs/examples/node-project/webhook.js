'use strict';
// The application's own webhook: hands on what Plivo signed, and refuses everything else.

const http = require('node:http');
const plivo = require('plivo');

/** True if the body, posted to this URL, was signed with the account's token. */
function signed(url, headers, body, authToken) {
  const nonce = headers['x-plivo-signature-v3-nonce'];
  const signature = headers['x-plivo-signature-v3'];
  if (!nonce || !signature) return false;
  return plivo.validateV3Signature('POST', url, nonce, authToken, signature, body);
}

/** A server whose `/compliance` calls `heard` with the body of each callback. */
function webhook(authToken, heard) {
  return http.createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const body = JSON.parse(text);
    const url = `http://${request.headers.host}${request.url}`;
    const genuine = signed(url, request.headers, body, authToken);
    if (genuine) heard(body);
    response.writeHead(genuine ? 200 : 403).end();
  });
}

module.exports = { webhook };
