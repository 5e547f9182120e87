# Every path goes to the one function, which routes
resource "aws_apigatewayv2_api" "galerly" {
  name          = "galerly"
  protocol_type = "HTTP"

  # As [tool.lamella.api] has it for start-api
  cors_configuration {
    allow_origins = local.origins
    allow_methods = ["GET", "POST", "PATCH", "DELETE"]
    allow_headers = ["authorization", "content-type", "idempotency-key"]
    max_age       = 600
  }
}

resource "aws_apigatewayv2_integration" "api" {
  api_id                 = aws_apigatewayv2_api.galerly.id
  integration_type       = "AWS_PROXY"
  integration_uri        = module.lambda.functions["galerly-api"].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "default" {
  api_id    = aws_apigatewayv2_api.galerly.id
  route_key = "$default"
  target    = "integrations/${aws_apigatewayv2_integration.api.id}"
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.galerly.id
  name        = "$default"
  auto_deploy = true
}

resource "aws_lambda_permission" "api" {
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = module.lambda.functions["galerly-api"].name
  qualifier     = module.lambda.functions["galerly-api"].alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.galerly.execution_arn}/*"
}
