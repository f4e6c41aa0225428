// plivo for Node 4.79.0: run
const plivo = require('plivo');

const account = process.env.PLIVO_AUTH_ID || 'MAXXXXXXXXXXXXXXXXXX';
const client = new plivo.Client(account, process.env.PLIVO_AUTH_TOKEN || 'token', {
  url: `${process.env.PLIVO_SIM_URL || 'http://127.0.0.1:8700'}/v1/Account/${account}`,
});

client.phoneNumberComplianceRequirements
  .get({ countryIso: 'IN', numberType: 'local', userType: 'business' })
  .then((asked) => console.log(asked.documentTypes.map((type) => type.name).join(', ')));
