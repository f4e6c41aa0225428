'use strict';
// Preloaded (node --require): every TLS connection goes to 127.0.0.1:PORT, as a hosts entry or a
// compose network alias would have it; the name that the certificate must have stays.

const tls = require('node:tls');

const connect = tls.connect;
tls.connect = (options, ...rest) =>
  connect({ ...options, host: '127.0.0.1', port: Number(process.env.PORT) }, ...rest);
