// perform from Node. `npm install node-osc` once, then: node perform.js [port] [opacity|world|cue]
const { Client, Server } = require('node-osc');

const port = Number(process.argv[2] ?? 9000);
const what = process.argv[3];
const perform = new Client('127.0.0.1', port);
const send = (...message) => new Promise((done) => perform.send(message, done));
const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

const score = {
  opacity: () => send('/layer/dream/opacity', 0.5, 0.2),  // a second value: seconds to get there
  world: () => send('/layer/dream/world', 'landscape'),
  cue: () => send('/cue/go', 1),
};

async function play() {
  for (const name of what ? [what] : Object.keys(score)) {
    await score[name]();
    if (!what) await wait(4);
  }
  await send('/layer/dream/opacity');  // no value asks; the answer comes to the next port
  await wait(0.3);
}

const ears = new Server(port + 1, '127.0.0.1');
ears.on('message', (message) => console.log(...message));
play().then(() => { perform.close(); ears.close(); });
