// What `lamella build` made, as constructs: layers that are kept, functions with their layers in order.
//
// The zips are uploaded as they are.  Their assets are named by the digests of manifest.json, so that an unchanged
// build gives an unchanged template, on every machine.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { AssetHashType, RemovalPolicy } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Construct } = require('constructs');

const SCHEMA = 2;
const ARCHITECTURES = { x86_64: lambda.Architecture.X86_64, arm64: lambda.Architecture.ARM_64 };

/** The layers of a manifest.json, and what makes functions of it. */
class Lamella extends Construct {
  /**
   * @param {Construct} scope
   * @param {string} id
   * @param {{ manifest: string }} props the path of manifest.json
   */
  constructor(scope, id, { manifest }) {
    super(scope, id);
    this.manifest = manifest;
    this.made = read(manifest);
    /** @type {Record<string, lambda.ILayerVersion>} by key, and by ARN for somebody else's */
    this.layers = {};
    /** @type {Record<string, lambda.Alias>} by the function's key */
    this.aliases = {};
    for (const [key, layer] of Object.entries(this.made.layers)) {
      this.layers[key] = new lambda.LayerVersion(this, `layer-${key}`, {
        layerVersionName: layer.name,
        description: layer.description || undefined,
        license: layer.licence || undefined,
        code: this.code(layer),
        compatibleRuntimes: layer.runtimes.map(runtime),
        compatibleArchitectures: [ARCHITECTURES[layer.architecture]],
        // A layer version that was deleted can't be attached again: going back would be impossible
        removalPolicy: RemovalPolicy.RETAIN,
      });
    }
  }

  /**
   * A function of the manifest.
   *
   * @param {string} key
   * @param {lambda.FunctionOptions & { alias?: string }} options what CDK takes of a function (memorySize, timeout,
   *   environment, vpc, …), and the name of an alias of its newest version
   * @returns {lambda.Function}
   */
  function(key, { alias, ...options } = {}) {
    const props = this.props(key);
    const versions = { ...options.currentVersionOptions, ...props.currentVersionOptions };
    const made = new lambda.Function(this, `function-${key}`, { ...props, ...options, currentVersionOptions: versions });
    if (alias) this.aliases[key] = this.alias(key, made, alias);
    return made;
  }

  /**
   * What the manifest says of a function, for a `new lambda.Function` of your own.
   *
   * @param {string} key
   * @returns {lambda.FunctionProps}
   */
  props(key) {
    const one = this.made.functions[key];
    if (!one) throw new Error(`${this.manifest} has no function ${key}: it has ${Object.keys(this.made.functions)}`);
    return {
      functionName: one.name,
      runtime: runtime(one.runtime),
      architecture: ARCHITECTURES[one.architecture],
      handler: one.handler,
      code: this.code(one),
      layers: one.layers.map((layer) => (this.layers[layer] ??= this.foreign(layer))),
      // Lambda refuses to publish a version of other bytes than those of the manifest
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN, codeSha256: one.code_sha256 },
    };
  }

  /**
   * An alias of the newest version of a function that has `props(key)`.
   *
   * @param {string} key
   * @param {lambda.Function} made
   * @param {string} name
   * @returns {lambda.Alias}
   */
  alias(key, made, name) {
    // Without this a new layer would make no new version, and the alias would stay where it is
    const digests = this.made.functions[key].layers.map((layer) => this.made.layers[layer]?.sha256 ?? layer);
    made.invalidateVersionBasedOn(digests.join(' ') || 'no layers');
    return new lambda.Alias(this, `alias-${key}`, { aliasName: name, version: made.currentVersion });
  }

  /** @private */
  foreign(arn) {
    const digest = crypto.createHash('sha256').update(arn).digest('hex').slice(0, 8);
    return lambda.LayerVersion.fromLayerVersionArn(this, `foreign-${digest}`, arn);
  }

  /** @private */
  code(artifact) {
    const file = path.join(path.dirname(this.manifest), artifact.file);
    // CDK would upload other bytes under this name once, and then never again
    const digest = crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
    if (digest !== artifact.sha256) {
      throw new Error(`${file} is not what the manifest beside it says: run \`lamella build\` again`);
    }
    return lambda.Code.fromAsset(file, { assetHash: artifact.sha256, assetHashType: AssetHashType.CUSTOM });
  }
}

function read(manifest) {
  if (!fs.existsSync(manifest)) throw new Error(`${manifest} is not there: run \`lamella build\` first`);
  const made = JSON.parse(fs.readFileSync(manifest, 'utf8'));
  if (made.schema !== SCHEMA) {
    throw new Error(`${manifest} has the format ${made.schema}, this construct reads ${SCHEMA}`);
  }
  return made;
}

function runtime(name) {
  return new lambda.Runtime(name, lambda.RuntimeFamily.PYTHON);
}

module.exports = { Lamella };
