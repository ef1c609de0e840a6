// Loads a SavedModel through TensorFlow's C API and runs it once, as TensorFlow Serving does: a session, no Python, no
// XLA. Standard input, fields separated by tabs:
//   in <operation> <type number> <rank> <dimension>... <value>...
//   out <operation> <index>
// Standard output: one line for each out, its values separated by tabs.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/tf_tstring.h"

namespace tensorflow {
void DisableXlaCompilation();  // what the server does unless told otherwise
}

void Check(TF_Status* status) {
  if (TF_GetCode(status) == TF_OK) return;
  std::cerr << TF_Message(status) << std::endl;
  std::exit(1);
}

void Set(TF_Tensor* tensor, size_t place, const std::string& value) {
  char* data = static_cast<char*>(TF_TensorData(tensor));
  switch (TF_TensorType(tensor)) {
    case TF_STRING: {
      TF_TString* text = reinterpret_cast<TF_TString*>(data) + place;
      TF_StringInit(text);
      TF_StringCopy(text, value.data(), value.size());
      break;
    }
    case TF_INT32: reinterpret_cast<int32_t*>(data)[place] = std::stoi(value); break;
    case TF_INT64: reinterpret_cast<int64_t*>(data)[place] = std::stoll(value); break;
    case TF_FLOAT: reinterpret_cast<float*>(data)[place] = std::stof(value); break;
    case TF_BOOL: reinterpret_cast<bool*>(data)[place] = value == "True"; break;
    default: std::exit(2);
  }
}

void Print(const TF_Tensor* tensor) {
  const char* data = static_cast<const char*>(TF_TensorData(tensor));
  for (int64_t place = 0; place < TF_TensorElementCount(tensor); ++place) {
    if (place) std::cout << '\t';
    switch (TF_TensorType(tensor)) {
      case TF_STRING: {
        const TF_TString* text = reinterpret_cast<const TF_TString*>(data) + place;
        std::cout << std::string(TF_StringGetDataPointer(text), TF_StringGetSize(text));
        break;
      }
      case TF_INT32: std::cout << reinterpret_cast<const int32_t*>(data)[place]; break;
      case TF_FLOAT: std::cout << reinterpret_cast<const float*>(data)[place]; break;
      default: std::exit(3);
    }
  }
  std::cout << std::endl;
}

int main(int, char** argv) {
  tensorflow::DisableXlaCompilation();
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  const char* tags[] = {"serve"};
  TF_Session* session =
      TF_LoadSessionFromSavedModel(TF_NewSessionOptions(), nullptr, argv[1], tags, 1, graph, nullptr, status);
  Check(status);
  std::vector<TF_Output> inputs, outputs;
  std::vector<TF_Tensor*> values;
  for (std::string line; std::getline(std::cin, line);) {
    std::stringstream fields(line);
    std::string kind, name, field;
    std::getline(fields, kind, '\t');
    std::getline(fields, name, '\t');
    auto next = [&] { std::getline(fields, field, '\t'); return field; };
    TF_Operation* operation = TF_GraphOperationByName(graph, name.c_str());
    if (!operation) return std::cerr << "no operation " << name << std::endl, 4;
    if (kind == "out") { outputs.push_back({operation, std::stoi(next())}); continue; }
    const auto type = static_cast<TF_DataType>(std::stoi(next()));
    std::vector<int64_t> shape(std::stoi(next()));
    size_t count = 1;
    for (auto& size : shape) count *= size = std::stoll(next());
    const size_t bytes = count * (type == TF_STRING ? sizeof(TF_TString) : TF_DataTypeSize(type));
    values.push_back(TF_AllocateTensor(type, shape.data(), shape.size(), bytes));
    for (size_t place = 0; place < count; ++place) Set(values.back(), place, next());
    inputs.push_back({operation, 0});
  }
  std::vector<TF_Tensor*> results(outputs.size());
  TF_SessionRun(session, nullptr, inputs.data(), values.data(), inputs.size(), outputs.data(), results.data(),
                outputs.size(), nullptr, 0, nullptr, status);
  Check(status);
  for (const TF_Tensor* result : results) Print(result);
}
