// docs/openapi.yaml as JSON, put into the program when it is built.
#pragma once

#include <string_view>

namespace cairn::api {

std::string_view openapi_json();

}  // namespace cairn::api
