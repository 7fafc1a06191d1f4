//! The fields of Tencent Batch's data types, as its API declares them (API 2017-03-12, data types): for what is only
//! checked and stored, and for what is echoed.

use super::schema::{Field, Kind};

const VPC: &[Field] = &[
    Field::required("VpcId", Kind::Text),
    Field::required("SubnetId", Kind::Text),
    Field::new("AsVpcGateway", Kind::Flag),
    Field::new("PrivateIpAddresses", Kind::Texts),
    Field::new("Ipv6AddressCount", Kind::Unsigned),
];

const ENABLED: &[Field] = &[Field::new("Enabled", Kind::Flag)];

const SYSTEM_DISK_TYPES: &[&str] = &[
    "LOCAL_BASIC",
    "LOCAL_SSD",
    "CLOUD_BASIC",
    "CLOUD_SSD",
    "CLOUD_PREMIUM",
    "CLOUD_BSSD",
    "CLOUD_HSSD",
    "CLOUD_TSSD",
];

const DATA_DISK_TYPES: &[&str] = &[
    "LOCAL_BASIC",
    "LOCAL_SSD",
    "LOCAL_NVME",
    "LOCAL_PRO",
    "CLOUD_BASIC",
    "CLOUD_SSD",
    "CLOUD_PREMIUM",
    "CLOUD_BSSD",
    "CLOUD_HSSD",
    "CLOUD_TSSD",
];

const SYSTEM_DISK: &[Field] = &[
    Field::new("DiskType", Kind::Word(SYSTEM_DISK_TYPES)),
    Field::new("DiskId", Kind::Text),
    Field::new("DiskSize", Kind::Unsigned),
    Field::new("CdcId", Kind::Text),
    Field::new("DiskName", Kind::Text),
    Field::new("Encrypt", Kind::Flag),
    Field::new("KmsKeyId", Kind::Text),
];

const DATA_DISK: &[Field] = &[
    Field::required("DiskSize", Kind::Unsigned),
    Field::new("DiskType", Kind::Word(DATA_DISK_TYPES)),
    Field::new("DiskId", Kind::Text),
    Field::new("DeleteWithInstance", Kind::Flag),
    Field::new("SnapshotId", Kind::Text),
    Field::new("Encrypt", Kind::Flag),
    Field::new("KmsKeyId", Kind::Text),
    Field::new("ThroughputPerformance", Kind::Unsigned),
    Field::new("CdcId", Kind::Text),
    Field::new("BurstPerformance", Kind::Flag),
    Field::new("DiskName", Kind::Text),
];

const INTERNET_CHARGES: &[&str] =
    &["BANDWIDTH_PREPAID", "TRAFFIC_POSTPAID_BY_HOUR", "BANDWIDTH_POSTPAID_BY_HOUR", "BANDWIDTH_PACKAGE"];

const INTERNET: &[Field] = &[
    Field::new("InternetChargeType", Kind::Word(INTERNET_CHARGES)),
    Field::new("InternetMaxBandwidthOut", Kind::Unsigned),
    Field::new("PublicIpAssigned", Kind::Flag),
    Field::new("BandwidthPackageId", Kind::Text),
    Field::new("InternetServiceProvider", Kind::Word(&["BGP", "CMCC", "CTCC", "CUCC"])),
    Field::new("IPv4AddressType", Kind::Word(&["WanIP", "HighQualityEIP", "AntiDDoSEIP"])),
    Field::new("IPv6AddressType", Kind::Word(&["EIPv6", "HighQualityEIPv6"])),
    Field::new("AntiDDoSPackageId", Kind::Text),
];

const ENHANCED: &[Field] = &[
    Field::new("SecurityService", Kind::Object(ENABLED)),
    Field::new("MonitorService", Kind::Object(ENABLED)),
    Field::new("AutomationService", Kind::Object(ENABLED)),
];

const SPOT: &[Field] =
    &[Field::required("MaxPrice", Kind::Decimal), Field::new("SpotInstanceType", Kind::Word(&["one-time"]))];

const MARKET: &[Field] =
    &[Field::required("SpotOptions", Kind::Object(SPOT)), Field::new("MarketType", Kind::Word(&["spot"]))];

/// `LoginSettings`.
pub(super) const LOGIN: &[Field] = &[
    Field::new("Password", Kind::Secret),
    Field::new("KeyIds", Kind::Texts),
    Field::new("KeepImageLogin", Kind::Text),
];

const TYPE_OPTIONS: &[Field] = &[
    Field::required("CPU", Kind::Unsigned),
    Field::required("Memory", Kind::Unsigned),
    Field::new("InstanceCategories", Kind::Texts),
];

/// `EnvData`.
pub(super) const ENV_DATA: &[Field] = &[
    Field::new("InstanceType", Kind::Text),
    Field::new("ImageId", Kind::Text),
    Field::new("SystemDisk", Kind::Object(SYSTEM_DISK)),
    Field::new("DataDisks", Kind::Objects(DATA_DISK)),
    Field::new("VirtualPrivateCloud", Kind::Object(VPC)),
    Field::new("InternetAccessible", Kind::Object(INTERNET)),
    Field::new("InstanceName", Kind::Text),
    Field::new("LoginSettings", Kind::Object(LOGIN)),
    Field::new("SecurityGroupIds", Kind::Texts),
    Field::new("EnhancedService", Kind::Object(ENHANCED)),
    Field::new("InstanceChargeType", Kind::Text),
    Field::new("InstanceMarketOptions", Kind::Object(MARKET)),
    Field::new("InstanceTypes", Kind::Texts),
    Field::new("InstanceTypeOptions", Kind::Object(TYPE_OPTIONS)),
    Field::new("Zones", Kind::Texts),
    Field::new("VirtualPrivateClouds", Kind::Objects(VPC)),
];

/// `MountDataDisk`.
pub(super) const MOUNT_DATA_DISK: &[Field] =
    &[Field::required("LocalPath", Kind::Text), Field::new("FileSystemType", Kind::Text)];

/// `AgentRunningMode`.
pub(super) const AGENT_RUNNING_MODE: &[Field] = &[
    Field::required("Scene", Kind::Text),
    Field::required("User", Kind::Text),
    Field::required("Session", Kind::Text),
];

/// What is echoed of `NamedComputeEnv` as it was sent.
pub(super) const CREATED_ENV: &[Field] = &[
    Field::required("EnvName", Kind::Text),
    Field::new("EnvDescription", Kind::Text),
    Field::new("EnvType", Kind::Text),
    Field::new("EnvData", Kind::Object(ENV_DATA)),
    Field::new("MountDataDisks", Kind::Objects(MOUNT_DATA_DISK)),
    Field::new("InputMappings", Kind::Objects(INPUT_MAPPING)),
    Field::new("Authentications", Kind::Objects(AUTHENTICATION)),
    Field::required("DesiredComputeNodeCount", Kind::Unsigned),
];

/// `AnonymousComputeEnv`.
const ANONYMOUS_ENV: &[Field] = &[
    Field::new("EnvType", Kind::Text),
    Field::new("EnvData", Kind::Object(ENV_DATA)),
    Field::new("MountDataDisks", Kind::Objects(MOUNT_DATA_DISK)),
    Field::new("AgentRunningMode", Kind::Object(AGENT_RUNNING_MODE)),
];

const DOCKER: &[Field] = &[
    Field::required("Image", Kind::Text),
    Field::new("User", Kind::Text),
    Field::new("Password", Kind::Secret),
    Field::new("Server", Kind::Text),
    Field::new("MaxRetryCount", Kind::Unsigned),
    Field::new("DelayOnRetry", Kind::Unsigned),
    Field::new("DockerRunOption", Kind::Text),
];

const APPLICATION: &[Field] = &[
    Field::required("DeliveryForm", Kind::Text),
    Field::new("Command", Kind::Text),
    Field::new("PackagePath", Kind::Text),
    Field::new("Docker", Kind::Object(DOCKER)),
    Field::new("Commands", Kind::Objects(&[Field::required("Command", Kind::Text)])),
];

const REDIRECT: &[Field] = &[
    Field::new("StdoutRedirectPath", Kind::Text),
    Field::new("StderrRedirectPath", Kind::Text),
    Field::new("StdoutRedirectFileName", Kind::Text),
    Field::new("StderrRedirectFileName", Kind::Text),
];

const REDIRECT_LOCAL: &[Field] = &[
    Field::new("StdoutLocalPath", Kind::Text),
    Field::new("StderrLocalPath", Kind::Text),
    Field::new("StdoutLocalFileName", Kind::Text),
    Field::new("StderrLocalFileName", Kind::Text),
];

/// `InputMapping`.
pub(super) const INPUT_MAPPING: &[Field] = &[
    Field::required("SourcePath", Kind::Text),
    Field::required("DestinationPath", Kind::Text),
    Field::new("MountOptionParameter", Kind::Text),
    Field::new("MountType", Kind::Text),
];

const OUTPUT_MAPPING: &[Field] = &[
    Field::required("SourcePath", Kind::Text),
    Field::required("DestinationPath", Kind::Text),
    Field::new("OutputMappingOption", Kind::Object(&[Field::new("Workspace", Kind::Text)])),
];

const OUTPUT_MAPPING_CONFIG: &[Field] = &[
    Field::required("Scene", Kind::Text),
    Field::required("WorkerNum", Kind::Integer),
    Field::required("WorkerPartSize", Kind::Integer),
];

/// `Authentication`.
pub(super) const AUTHENTICATION: &[Field] = &[
    Field::required("Scene", Kind::Text),
    Field::required("SecretId", Kind::Text),
    Field::required("SecretKey", Kind::Secret),
];

const ENV_VAR: &[Field] = &[Field::required("Name", Kind::Text), Field::required("Value", Kind::Text)];

/// `Dependence`.
pub(super) const DEPENDENCE: &[Field] =
    &[Field::required("StartTask", Kind::Text), Field::required("EndTask", Kind::Text)];

/// `Task`.
pub(super) const TASK: &[Field] = &[
    Field::required("Application", Kind::Object(APPLICATION)),
    Field::new("TaskName", Kind::Text),
    Field::new("TaskInstanceNum", Kind::Unsigned),
    Field::new("ComputeEnv", Kind::Object(ANONYMOUS_ENV)),
    Field::new("EnvId", Kind::Text),
    Field::new("RedirectInfo", Kind::Object(REDIRECT)),
    Field::new("RedirectLocalInfo", Kind::Object(REDIRECT_LOCAL)),
    Field::new("InputMappings", Kind::Objects(INPUT_MAPPING)),
    Field::new("OutputMappings", Kind::Objects(OUTPUT_MAPPING)),
    Field::new("OutputMappingConfigs", Kind::Objects(OUTPUT_MAPPING_CONFIG)),
    Field::new("EnvVars", Kind::Objects(ENV_VAR)),
    Field::new("Authentications", Kind::Objects(AUTHENTICATION)),
    Field::new("FailedAction", Kind::Text),
    Field::new("MaxRetryCount", Kind::Unsigned),
    Field::new("Timeout", Kind::Unsigned),
    Field::new("MaxConcurrentNum", Kind::Unsigned),
    Field::new("RestartComputeNode", Kind::Flag),
    Field::new("ResourceMaxRetryCount", Kind::Unsigned),
];
