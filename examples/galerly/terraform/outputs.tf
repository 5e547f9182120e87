output "url" {
  description = "Where the API answers."
  value       = aws_apigatewayv2_stage.default.invoke_url
}

output "page" {
  description = "Where the upload page is."
  value       = local.page
}

output "functions" {
  value = module.lambda.functions
}

output "migration" {
  description = "The state machine that makes renditions for photos that were there before."
  value       = aws_sfn_state_machine.migration.arn
}
