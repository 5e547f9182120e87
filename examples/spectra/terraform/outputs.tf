output "url" {
  description = "Where the API answers."
  value       = aws_apigatewayv2_stage.default.invoke_url
}

output "functions" {
  value = module.lambda.functions
}
