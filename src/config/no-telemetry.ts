/**
 * Importing this module switches off the telemetry of onnxruntime, which is on by default and sends events over the
 * network. It must be imported first in the main thread of every process that may load the library: threads have a copy
 * of the environment that native code does not see.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
