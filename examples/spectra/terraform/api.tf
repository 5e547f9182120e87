resource "aws_apigatewayv2_api" "spectra" {
  name          = "spectra"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "api" {
  api_id                 = aws_apigatewayv2_api.spectra.id
  integration_type       = "AWS_PROXY"
  integration_uri        = module.lambda.functions["api-handler"].invoke_arn
  payload_format_version = "2.0"
}

# Nothing is kept: a key that is withdrawn is withdrawn at once
resource "aws_apigatewayv2_authorizer" "tenants" {
  api_id                            = aws_apigatewayv2_api.spectra.id
  name                              = "tenants"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = module.lambda.functions["authorizer"].invoke_arn
  authorizer_payload_format_version = "2.0"
  authorizer_result_ttl_in_seconds  = 0
  enable_simple_responses           = true
}

resource "aws_apigatewayv2_route" "open" {
  for_each = toset(["GET /health", "GET /openapi.json"])

  api_id    = aws_apigatewayv2_api.spectra.id
  route_key = each.value
  target    = "integrations/${aws_apigatewayv2_integration.api.id}"
}

resource "aws_apigatewayv2_route" "tenants" {
  api_id             = aws_apigatewayv2_api.spectra.id
  route_key          = "$default"
  target             = "integrations/${aws_apigatewayv2_integration.api.id}"
  authorization_type = "CUSTOM"
  authorizer_id      = aws_apigatewayv2_authorizer.tenants.id
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.spectra.id
  name        = "$default"
  auto_deploy = true
}

resource "aws_lambda_permission" "api" {
  for_each = toset(["api-handler", "authorizer"])

  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = module.lambda.functions[each.value].name
  qualifier     = module.lambda.functions[each.value].alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.spectra.execution_arn}/*"
}
