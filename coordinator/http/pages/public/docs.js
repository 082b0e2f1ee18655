window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger',
  deepLinking: true,
  persistAuthorization: false,
  // Swagger's badge asks a server of its makers.
  validatorUrl: null,
})
