// The functions of ../spectra, built by `lamella build` there.
'use strict';

const path = require('node:path');
const { App, Duration, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Lamella } = require('./lamella');

const app = new App();
const stack = new Stack(app, 'spectra');
const built = new Lamella(stack, 'lambda', {
  manifest: app.node.tryGetContext('manifest') ?? path.join(__dirname, '../spectra/dist/lambda/manifest.json'),
});

built.function('api-handler', { memorySize: 512, timeout: Duration.seconds(10), alias: 'live' });
built.function('worker', { memorySize: 1024, timeout: Duration.seconds(60), alias: 'live' });

// A function that the stack had before keeps its logical ID, and so itself
const authorizer = new lambda.Function(stack, 'Authorizer', {
  ...built.props('authorizer'),
  memorySize: 256,
  timeout: Duration.seconds(10),
});
built.alias('authorizer', authorizer, 'live');
