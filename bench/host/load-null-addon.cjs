// Loaded before the program with `node --require`: where it loads the CUDA addon, it gets the one in JavaScript.

const Module = require('node:module');

const load = Module._extensions['.node'];

Module._extensions['.node'] = (module, path) => {
  if (path.endsWith('framekiln_cuda.node')) module.exports = require('./null-addon.cjs');
  else load(module, path);
};
