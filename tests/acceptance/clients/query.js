// Ask a show by OSCQuery what there is; prints it as JSON. `npm install oscquery`, then: node query.js [port]
const { OSCQueryDiscovery } = require('oscquery');

new OSCQueryDiscovery().queryNewService('127.0.0.1', Number(process.argv[2] || 9001)).then((service) => {
  const addresses = {};
  for (const method of service.flat()) {
    const [argument] = method.arguments;
    addresses[method.full_path] = {
      type: argument.type, min: argument.range && argument.range.min, max: argument.range && argument.range.max, access: method.access,
    };
  }
  process.stdout.write(JSON.stringify({ host: service.hostInfo, addresses }), () => process.exit(0));
});
